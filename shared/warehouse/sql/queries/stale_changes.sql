-- Years of current AOIs whose patches were not found since their images changed, by AOI, oldest first. A year depends on
-- the two before it and on the 240 days after it. An empty list of ids takes all AOIs behind the one named; AOIs that are
-- too large to be watched are left out. Looks at what was acquired since a day only, which is the first of a year.
WITH by_year AS (
  SELECT
    current_obs.aoi_id, current_obs.aoi_version,
    EXTRACT(YEAR FROM current_obs.acquired_date) AS year,
    MAX(current_obs.processed_at) AS changed_at,
    MAX(IF(EXTRACT(DAYOFYEAR FROM current_obs.acquired_date) <= 240, current_obs.processed_at, NULL)) AS early_changed_at,
    MAX(IFNULL(aois.cells[SAFE_OFFSET(0)], 0)) AS cell
  FROM `${dataset}.observations_current` AS current_obs
  JOIN `${dataset}.aois` AS aois
    ON aois.aoi_id = current_obs.aoi_id AND aois.aoi_version = current_obs.aoi_version
  WHERE current_obs.source = 'dynamic_world'
    AND current_obs.acquired_date >= @since
    AND current_obs.acquired_month >= EXTRACT(YEAR FROM @since) * 100 + EXTRACT(MONTH FROM @since)
    AND aois.aoi_id > @after_aoi
    AND aois.area_m2 <= @most_m2
    AND (IFNULL(ARRAY_LENGTH(@aoi_ids), 0) = 0 OR aois.aoi_id IN UNNEST(@aoi_ids))
  GROUP BY current_obs.aoi_id, current_obs.aoi_version, year
),
watched AS (
  SELECT
    watched.aoi_id, watched.aoi_version, watched.year, watched.cell,
    MAX(IF(other.year > watched.year, other.early_changed_at, other.changed_at)) AS changed_at
  FROM by_year AS watched
  JOIN by_year AS other
    ON other.aoi_id = watched.aoi_id AND other.aoi_version = watched.aoi_version
    AND other.year BETWEEN watched.year - 2 AND watched.year + 1
  GROUP BY watched.aoi_id, watched.aoi_version, watched.year, watched.cell
)
SELECT watched.aoi_id, watched.aoi_version, watched.year, watched.cell
FROM watched
LEFT JOIN `${dataset}.changes_current` AS changes
  ON changes.aoi_id = watched.aoi_id AND changes.aoi_version = watched.aoi_version AND changes.year = watched.year
WHERE changes.processed_at IS NULL OR changes.processed_at < watched.changed_at
ORDER BY watched.aoi_id, watched.year
LIMIT @most
