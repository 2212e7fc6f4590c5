-- Changed ground of current AOIs, a row a patch. What is told of is larger than the limit of the AOI's size and than one
-- and a half times the largest patch of an earlier year that was withdrawn: that was noise, and noise comes back.
WITH noise AS (
  SELECT later.aoi_id, later.aoi_version, later.year, MAX(patch.area_m2) AS area_m2
  FROM `${dataset}.changes_current` AS later
  JOIN `${dataset}.changes_current` AS earlier
    ON earlier.aoi_id = later.aoi_id AND earlier.aoi_version = later.aoi_version AND earlier.year < later.year
  CROSS JOIN UNNEST(earlier.patches) AS patch
  WHERE patch.state = 'withdrawn'
  GROUP BY later.aoi_id, later.aoi_version, later.year
)
SELECT
  changes.aoi_id,
  changes.aoi_version,
  aois.label AS aoi_label,
  ARRAY_TO_STRING(aois.tags, ', ') AS aoi_tags,
  aois.area_m2 / 10000 AS aoi_area_ha,
  aois.area_m2 / 1000000 AS aoi_area_km2,
  changes.year,
  patch.patch_id,
  patch.state,
  patch.from_class_id,
  patch.from_class_name,
  patch.to_class_id,
  patch.to_class_name,
  patch.area_m2 / 10000 AS area_ha,
  patch.still_area_m2 / 10000 AS still_area_ha,
  GREATEST(changes.limit_area_m2, 1.5 * IFNULL(noise.area_m2, 0)) / 10000 AS limit_ha,
  patch.state != 'provisional'
    AND patch.area_m2 >= GREATEST(changes.limit_area_m2, 1.5 * IFNULL(noise.area_m2, 0)) AS alarm,
  patch.happened_after,
  patch.happened_before,
  patch.confirmed_at,
  patch.withdrawn_at,
  patch.longitude,
  patch.latitude,
  patch.outline,
  patch.compared_from,
  patch.compared_until,
  patch.supported_area_m2 / 10000 AS supported_area_ha
FROM `${dataset}.changes_current` AS changes
CROSS JOIN UNNEST(changes.patches) AS patch
JOIN `${dataset}.aois` AS aois
  ON aois.aoi_id = changes.aoi_id AND aois.aoi_version = changes.aoi_version
LEFT JOIN noise
  ON noise.aoi_id = changes.aoi_id AND noise.aoi_version = changes.aoi_version AND noise.year = changes.year
