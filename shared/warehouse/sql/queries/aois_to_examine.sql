-- Current AOIs without their geometry; an empty list of ids takes all.
SELECT aoi_id, aoi_version, backfill_start
FROM `${dataset}.aois`
WHERE IFNULL(ARRAY_LENGTH(@aoi_ids), 0) = 0 OR aoi_id IN UNNEST(@aoi_ids)
ORDER BY aoi_id
