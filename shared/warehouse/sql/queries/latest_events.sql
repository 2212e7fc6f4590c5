-- The latest event of each of these AOIs, deletions included, and the highest version each ever had.
SELECT
  aoi_id, event_type, event_time, geometry_sha256, aoi_version,
  MAX(aoi_version) OVER (PARTITION BY aoi_id) AS highest_version
FROM `${dataset}.aoi_events`
WHERE aoi_id IN UNNEST(@aoi_ids)
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY aoi_id
  ORDER BY event_time DESC, recorded_at DESC, webhook_id DESC
) = 1
