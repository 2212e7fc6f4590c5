-- One row for each AOI version and overpass. Of several measurements the most complete wins (the one for which
-- Earth Engine listed the most images), and of equally complete ones the newest. The day follows from the overpass; named as
-- keys, day and month let filters on them through to the partitions.
SELECT
  aoi_id, aoi_version, overpass_id, acquired_at, acquired_date, acquired_month, valid_area_m2, aoi_area_m2, measured_aoi_area_m2, coverage,
  classes, image_ids, image_versions, listed_image_count, algorithm_versions, qa_versions, code_version, processed_at
FROM `${dataset}.observations`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY aoi_id, aoi_version, overpass_id, acquired_date, acquired_month
  ORDER BY listed_image_count DESC, processed_at DESC
) = 1
