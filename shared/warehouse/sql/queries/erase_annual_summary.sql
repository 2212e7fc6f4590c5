-- All rows of some AOIs; they were written by statements.
DELETE FROM `${dataset}.annual_summary`
WHERE aoi_id IN UNNEST(@aoi_ids)
