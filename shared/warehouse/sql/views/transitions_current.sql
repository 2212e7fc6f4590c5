-- What became what as it was computed last: one row for each AOI version and pair of years. Which years a year is compared
-- with may change, when an earlier one is seen at last or the baseline is another: what it was compared with before is gone.
WITH newest AS (
  SELECT
    aoi_id, aoi_version, year, compared_with, from_year, to_year, from_overpass_count, to_overpass_count,
    seen_in_both_m2, aoi_area_m2, measured_aoi_area_m2, cells, image_ids, image_versions, listed_image_count,
    algorithm_versions, qa_versions, code_version, processed_at
  FROM `${dataset}.transitions`
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY aoi_id, aoi_version, year, compared_with
    ORDER BY processed_at DESC
  ) = 1
)
SELECT
  aoi_id, aoi_version, year, compared_with, from_year, to_year, from_overpass_count, to_overpass_count, seen_in_both_m2,
  aoi_area_m2, measured_aoi_area_m2, cells, image_ids, image_versions, listed_image_count, algorithm_versions,
  qa_versions, code_version, processed_at
FROM newest
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY aoi_id, aoi_version, from_year, to_year
  ORDER BY processed_at DESC, compared_with
) = 1
