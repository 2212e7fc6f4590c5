-- One row for each AOI version and year: the patches as they were found last.
SELECT
  aoi_id, aoi_version, year, aoi_area_m2, watched_area_m2, limit_area_m2, largest_area_m2, baseline_overpass_count,
  overpass_count, patches, code_version, processed_at
FROM `${dataset}.changes`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY aoi_id, aoi_version, year
  ORDER BY processed_at DESC
) = 1
