-- All rows of some AOIs; they were written by statements.
DELETE FROM `${dataset}.aoi_events`
WHERE aoi_id IN UNNEST(@aoi_ids)
