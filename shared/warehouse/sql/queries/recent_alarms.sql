-- Alarms that were confirmed since a moment, each with the quiet past of areas of like size (a third to three times): how
-- many years in which nothing changed, in how many of them the largest patch was as large; how many areas are asked this
-- year; and whether an event told of it.
WITH quiet AS (
  SELECT changes.aoi_area_m2, changes.largest_area_m2
  FROM `${dataset}.changes_current` AS changes
  WHERE changes.watched_area_m2 > 0
    AND changes.year < EXTRACT(YEAR FROM @since)
    AND NOT EXISTS (SELECT 1 FROM UNNEST(changes.patches) AS patch WHERE patch.state = 'confirmed')
),
asked AS (
  SELECT COUNT(DISTINCT changes.aoi_id) AS aoi_count
  FROM `${dataset}.changes_current` AS changes
  WHERE changes.watched_area_m2 > 0 AND changes.year >= EXTRACT(YEAR FROM @since)
),
told AS (
  SELECT DISTINCT aoi_id, aoi_version, patch_id
  FROM `${dataset}.change_alerts`
  WHERE state = 'confirmed'
),
alarms AS (
  SELECT
    aoi_id, aoi_version, aoi_label, year, patch_id, from_class_id, from_class_name, to_class_id, to_class_name, area_ha,
    limit_ha, happened_after, happened_before, confirmed_at, withdrawn_at, longitude, latitude, outline,
    aoi_area_km2 * 1000000 AS aoi_area_m2
  FROM `${dataset}.report_patches`
  WHERE alarm AND state = 'confirmed' AND confirmed_at >= @since
),
compared AS (
  SELECT
    alarms.aoi_id, alarms.aoi_version, alarms.patch_id,
    COUNT(*) AS quiet_count,
    COUNTIF(quiet.largest_area_m2 >= alarms.area_ha * 10000) AS as_large_count
  FROM alarms
  JOIN quiet ON quiet.aoi_area_m2 BETWEEN alarms.aoi_area_m2 / 3 AND alarms.aoi_area_m2 * 3
  GROUP BY alarms.aoi_id, alarms.aoi_version, alarms.patch_id
)
SELECT
  alarms.aoi_id, alarms.aoi_version, alarms.aoi_label, alarms.year, alarms.patch_id, alarms.from_class_id,
  alarms.from_class_name, alarms.to_class_id, alarms.to_class_name, alarms.area_ha, alarms.limit_ha,
  alarms.happened_after, alarms.happened_before, alarms.confirmed_at, alarms.withdrawn_at, alarms.longitude,
  alarms.latitude, alarms.outline,
  IFNULL(compared.quiet_count, 0) AS quiet_count,
  IFNULL(compared.as_large_count, 0) AS as_large_count,
  asked.aoi_count AS asked_count,
  told.patch_id IS NOT NULL AS told
FROM alarms
CROSS JOIN asked
LEFT JOIN compared
  ON compared.aoi_id = alarms.aoi_id AND compared.aoi_version = alarms.aoi_version
  AND compared.patch_id = alarms.patch_id
LEFT JOIN told
  ON told.aoi_id = alarms.aoi_id AND told.aoi_version = alarms.aoi_version AND told.patch_id = alarms.patch_id
ORDER BY alarms.aoi_id, alarms.patch_id
