-- One row for each AOI version and overpass: Dynamic World's where there is one, else the network's. Of several of one source measurements that which listed its images last wins, so that a
-- withdrawn image does not stay; within the hour before it the most complete one (for which Earth Engine listed the most
-- images), since a listing that is made while images come in may lack some. The day follows from the overpass; named as
-- keys, day and month let filters on them through to the partitions.
WITH measured AS (
  SELECT
    aoi_id, aoi_version, overpass_id, acquired_at, acquired_date, acquired_month, valid_area_m2, aoi_area_m2, measured_aoi_area_m2, coverage,
    classes, image_ids, image_versions, listed_image_count, algorithm_versions, qa_versions, code_version, processed_at,
    IFNULL(source, 'dynamic_world') AS source,
    MAX(processed_at) OVER (
      PARTITION BY aoi_id, aoi_version, overpass_id, acquired_date, acquired_month, IFNULL(source, 'dynamic_world')
    ) AS latest_at
  FROM `${dataset}.observations`
)
SELECT
  aoi_id, aoi_version, overpass_id, acquired_at, acquired_date, acquired_month, valid_area_m2, aoi_area_m2, measured_aoi_area_m2, coverage,
  classes, image_ids, image_versions, listed_image_count, algorithm_versions, qa_versions, code_version, processed_at, source
FROM measured
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY aoi_id, aoi_version, overpass_id, acquired_date, acquired_month
  ORDER BY
    source = 'dynamic_world' DESC,
    IF(processed_at >= TIMESTAMP_SUB(latest_at, INTERVAL 1 HOUR), listed_image_count, 0) DESC,
    processed_at DESC
) = 1
