-- How many rows each table has about some AOIs.
SELECT 'aoi_events' AS table_name, COUNT(*) AS row_count
FROM `${dataset}.aoi_events`
WHERE aoi_id IN UNNEST(@aoi_ids)
UNION ALL
SELECT 'histories' AS table_name, COUNT(*) AS row_count
FROM `${dataset}.histories`
WHERE aoi_id IN UNNEST(@aoi_ids)
UNION ALL
SELECT 'observations' AS table_name, COUNT(*) AS row_count
FROM `${dataset}.observations`
WHERE aoi_id IN UNNEST(@aoi_ids)
UNION ALL
SELECT 'composites' AS table_name, COUNT(*) AS row_count
FROM `${dataset}.composites`
WHERE aoi_id IN UNNEST(@aoi_ids)
UNION ALL
SELECT 'changes' AS table_name, COUNT(*) AS row_count
FROM `${dataset}.changes`
WHERE aoi_id IN UNNEST(@aoi_ids)
UNION ALL
SELECT 'transitions' AS table_name, COUNT(*) AS row_count
FROM `${dataset}.transitions`
WHERE aoi_id IN UNNEST(@aoi_ids)
UNION ALL
SELECT 'passes' AS table_name, COUNT(*) AS row_count
FROM `${dataset}.passes`
WHERE aoi_id IN UNNEST(@aoi_ids)
UNION ALL
SELECT 'change_alerts' AS table_name, COUNT(*) AS row_count
FROM `${dataset}.change_alerts`
WHERE aoi_id IN UNNEST(@aoi_ids)
UNION ALL
SELECT 'deliveries' AS table_name, COUNT(*) AS row_count
FROM `${dataset}.deliveries`
WHERE aoi_id IN UNNEST(@aoi_ids)
UNION ALL
SELECT 'reference_points' AS table_name, COUNT(*) AS row_count
FROM `${dataset}.reference_points`
WHERE aoi_id IN UNNEST(@aoi_ids)
UNION ALL
SELECT 'area_estimates' AS table_name, COUNT(*) AS row_count
FROM `${dataset}.area_estimates`
WHERE aoi_id IN UNNEST(@aoi_ids)
UNION ALL
SELECT 'monthly_summary' AS table_name, COUNT(*) AS row_count
FROM `${dataset}.monthly_summary`
WHERE aoi_id IN UNNEST(@aoi_ids)
UNION ALL
SELECT 'annual_summary' AS table_name, COUNT(*) AS row_count
FROM `${dataset}.annual_summary`
WHERE aoi_id IN UNNEST(@aoi_ids)
UNION ALL
SELECT 'dead_letters' AS table_name, COUNT(*) AS row_count
FROM `${dataset}.dead_letters`
WHERE EXISTS (SELECT 1 FROM UNNEST(@aoi_ids) AS aoi_id WHERE STRPOS(body, CONCAT('"', aoi_id, '"')) > 0)
ORDER BY table_name
