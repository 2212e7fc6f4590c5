-- Every version that these AOIs ever had, each with its geometry, whatever became of them since.
SELECT aoi_id, geometry_sha256, MIN(aoi_version) AS aoi_version
FROM `${dataset}.aoi_events`
WHERE aoi_id IN UNNEST(@aoi_ids) AND event_type = 'aoi.registered'
GROUP BY aoi_id, geometry_sha256
