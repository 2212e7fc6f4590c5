-- Monthly summaries of current AOIs for a CSV file.
SELECT
  aoi_id, aoi_version, month, class_id, class_name, observation_count, mean_coverage, mean_share, mean_area_m2,
  min_share, max_share, probability_share, composite_share, composite_area_m2,
  settled_share, settled_area_m2, filled_share, mean_seen_share, mean_seen_area_m2, seen_share, effective_views
FROM `${dataset}.monthly_summary`
JOIN `${dataset}.aois` USING (aoi_id, aoi_version)
ORDER BY aoi_id, aoi_version, month, class_id
