-- The annual rows beside those of report_index.
SELECT aoi_id, class_id, months_observed, observation_count, mean_coverage, composite_share, composite_area_ha, mean_share
FROM `${dataset}.report_annual`
WHERE year = @year AND (IFNULL(ARRAY_LENGTH(@aoi_ids), 0) = 0 OR aoi_id IN UNNEST(@aoi_ids))
ORDER BY aoi_id, class_id
