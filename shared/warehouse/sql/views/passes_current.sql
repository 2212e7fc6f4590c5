-- One row for each AOI version and Sentinel-2 overpass: the newest record.
SELECT aoi_id, aoi_version, overpass_id, acquired_at, acquired_date, acquired_month, scene_count, least_cloud_percent, recorded_at
FROM `${dataset}.passes`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY aoi_id, aoi_version, overpass_id, acquired_date, acquired_month
  ORDER BY recorded_at DESC
) = 1
