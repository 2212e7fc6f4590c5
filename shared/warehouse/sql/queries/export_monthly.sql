-- Monthly summaries for a CSV file.
SELECT
  aoi_id, aoi_version, month, class_id, class_name, observation_count, mean_coverage, mean_share, mean_area_m2,
  min_share, max_share, probability_share, composite_share, composite_area_m2
FROM `${dataset}.monthly_summary`
ORDER BY aoi_id, aoi_version, month, class_id
