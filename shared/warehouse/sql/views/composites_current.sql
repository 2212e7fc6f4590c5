-- One row for each AOI version and period: the newest computation.
SELECT
  aoi_id, aoi_version, period, period_start, period_month, overpass_count, valid_area_m2, aoi_area_m2, measured_aoi_area_m2, coverage, classes, filled_area_m2,
  image_ids, image_versions, listed_image_count, algorithm_versions, qa_versions, code_version, processed_at
FROM `${dataset}.composites`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY aoi_id, aoi_version, period, period_start, period_month
  ORDER BY processed_at DESC
) = 1
