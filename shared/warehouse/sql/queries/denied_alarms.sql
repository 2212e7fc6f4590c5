-- Alarms that an event told of and that are no longer confirmed: the ground is as it was, or other images deny it.
WITH told AS (
  SELECT aoi_id, aoi_version, patch_id, MAX(IF(state = 'confirmed', body, NULL)) AS body
  FROM `${dataset}.change_alerts`
  WHERE patch_id IS NOT NULL
  GROUP BY aoi_id, aoi_version, patch_id
  HAVING COUNTIF(state = 'withdrawn') = 0
)
SELECT told.aoi_id, told.aoi_version, told.patch_id, told.body, patches.withdrawn_at
FROM told
JOIN `${dataset}.aois` AS aois ON aois.aoi_id = told.aoi_id AND aois.aoi_version = told.aoi_version
LEFT JOIN `${dataset}.report_patches` AS patches
  ON patches.aoi_id = told.aoi_id AND patches.aoi_version = told.aoi_version AND patches.patch_id = told.patch_id
WHERE patches.state IS NULL OR patches.state != 'confirmed'
ORDER BY told.aoi_id, told.patch_id
