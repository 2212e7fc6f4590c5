-- Current AOIs: the latest event of each, unless that deleted it.
-- Events are ordered by when they happened, not by when they arrived; those of one moment by when they were recorded.
SELECT
  aoi_id, aoi_version, label, tags, geometry, geometry_sha256, area_m2,
  west_deg, south_deg, east_deg, north_deg, cells, backfill_start, event_time
FROM `${dataset}.aoi_events`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY aoi_id
  ORDER BY event_time DESC, turn DESC, recorded_at DESC, webhook_id DESC
) = 1
AND event_type = 'aoi.registered'
