-- The months of one AOI and year, for a report, with the range over their observations.
SELECT monthly.*, summary.min_share, summary.max_share
FROM `${dataset}.report_monthly` AS monthly
JOIN `${dataset}.monthly_summary` AS summary
  ON summary.aoi_id = monthly.aoi_id AND summary.aoi_version = monthly.aoi_version
  AND summary.month = monthly.month AND summary.class_id = monthly.class_id
WHERE monthly.aoi_id = @aoi_id AND monthly.month BETWEEN DATE(@year, 1, 1) AND DATE(@year, 12, 31)
  AND summary.aoi_id = @aoi_id AND summary.month BETWEEN DATE(@year, 1, 1) AND DATE(@year, 12, 31)
ORDER BY month, class_id
