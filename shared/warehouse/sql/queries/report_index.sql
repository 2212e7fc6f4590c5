-- All current AOIs of one year, month by month, for an index page; an empty list of ids takes all.
SELECT aoi_id, aoi_label, aoi_area_ha, month, class_id, observation_count, mean_coverage, composite_share, composite_area_ha, mean_share
FROM `${dataset}.report_monthly`
WHERE month BETWEEN DATE(@year, 1, 1) AND DATE(@year, 12, 31) AND (IFNULL(ARRAY_LENGTH(@aoi_ids), 0) = 0 OR aoi_id IN UNNEST(@aoi_ids))
ORDER BY aoi_id, month, class_id
