-- How fresh the current AOIs are, for a person at a terminal: those waiting longest first.
SELECT aoi_id, last_usable_at, latest_passes
FROM `${dataset}.report_freshness`
ORDER BY last_usable_at, aoi_id
LIMIT 20
