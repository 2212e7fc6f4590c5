-- What earlier attempts of the same call recorded; and the row of turns, where there is one.
SELECT aoi_id, event_type, aoi_version, area_m2, body_sha256
FROM `${dataset}.aoi_events`
WHERE webhook_id = @webhook_id OR event_type = 'register.turn'
QUALIFY ROW_NUMBER() OVER (PARTITION BY aoi_id ORDER BY recorded_at) = 1
