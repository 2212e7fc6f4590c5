-- Of the named AOIs those that are current, with the hash of their geometry and the first day of which their history was
-- asked for; null where it never was.
SELECT aois.aoi_id, aois.geometry_sha256, MIN(histories.backfill_start) AS backfill_start
FROM `${dataset}.aois` AS aois
LEFT JOIN `${dataset}.histories` AS histories
  ON histories.aoi_id = aois.aoi_id AND histories.aoi_version = aois.aoi_version
WHERE aois.aoi_id IN UNNEST(@aoi_ids)
GROUP BY aois.aoi_id, aois.geometry_sha256
