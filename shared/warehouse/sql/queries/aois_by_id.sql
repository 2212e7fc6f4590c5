-- Current AOIs by id, with their geometry.
SELECT aoi_id, aoi_version, label, tags, geometry, geometry_sha256, area_m2, backfill_start, event_time
FROM `${dataset}.aois`
WHERE aoi_id IN UNNEST(@aoi_ids)
