-- What an earlier delivery of the same webhook recorded.
SELECT aoi_id, event_type, aoi_version, area_m2, backfill_start, west_deg, south_deg
FROM `${dataset}.aoi_events`
WHERE webhook_id = @webhook_id
QUALIFY ROW_NUMBER() OVER (PARTITION BY aoi_id ORDER BY recorded_at) = 1
