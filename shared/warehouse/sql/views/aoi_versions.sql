-- Every geometry version of every AOI, with its first day of interest and whether it is the current one.
SELECT
  versions.aoi_id,
  versions.aoi_version,
  versions.backfill_start,
  current_aois.aoi_version IS NOT NULL AS is_current
FROM (
  SELECT aoi_id, aoi_version, MIN(backfill_start) AS backfill_start
  FROM `${dataset}.aoi_events`
  WHERE event_type = 'aoi.registered'
  GROUP BY aoi_id, aoi_version
) AS versions
LEFT JOIN `${dataset}.aois` AS current_aois
  ON current_aois.aoi_id = versions.aoi_id AND current_aois.aoi_version = versions.aoi_version
