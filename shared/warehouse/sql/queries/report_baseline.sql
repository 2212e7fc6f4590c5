-- The months of one AOI and year beside the same months of earlier years, for a report.
SELECT
  month, class_id, composite_share, baseline_years, baseline_share, baseline_min_share, baseline_max_share,
  change_area_ha
FROM `${dataset}.report_change`
WHERE aoi_id = @aoi_id AND month BETWEEN DATE(@year, 1, 1) AND DATE(@year, 12, 31)
ORDER BY month, class_id
