-- What changed in all current AOIs in one year, beside the rows of report_index: hectares that are told of; and how much of
-- each was watched, NULL where no earlier year says what is usual.
SELECT
  aois.aoi_id,
  changes.watched_area_m2 / 10000 AS watched_area_ha,
  IFNULL(told.area_ha, 0) AS told_area_ha
FROM `${dataset}.aois` AS aois
JOIN `${dataset}.changes_current` AS changes
  ON changes.aoi_id = aois.aoi_id AND changes.aoi_version = aois.aoi_version
LEFT JOIN (
  SELECT aoi_id, aoi_version, SUM(area_ha) AS area_ha
  FROM `${dataset}.report_patches`
  WHERE year = @year AND alarm AND state = 'confirmed'
  GROUP BY aoi_id, aoi_version
) AS told
  ON told.aoi_id = aois.aoi_id AND told.aoi_version = aois.aoi_version
WHERE changes.year = @year AND (IFNULL(ARRAY_LENGTH(@aoi_ids), 0) = 0 OR aois.aoi_id IN UNNEST(@aoi_ids))
ORDER BY aois.aoi_id
