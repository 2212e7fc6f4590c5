-- Months and years of current AOIs whose observations changed after their composite was computed, by AOI, oldest first.
-- An empty period takes both, an empty list of ids all AOIs behind the one named. Looks at what was acquired since a day
-- only, which is the first of a year.
WITH observed AS (
  SELECT
    current_obs.aoi_id, current_obs.aoi_version, current_obs.acquired_date, current_obs.processed_at,
    aois.area_m2, LENGTH(aois.geometry) AS geometry_bytes, IFNULL(aois.cells[SAFE_OFFSET(0)], 0) AS cell
  FROM `${dataset}.observations_current` AS current_obs
  JOIN `${dataset}.aois` AS aois
    ON aois.aoi_id = current_obs.aoi_id AND aois.aoi_version = current_obs.aoi_version
  WHERE current_obs.source = 'dynamic_world'
    AND current_obs.acquired_date >= @since
    AND current_obs.acquired_month >= EXTRACT(YEAR FROM @since) * 100 + EXTRACT(MONTH FROM @since)
    AND aois.aoi_id > @after_aoi
    AND (IFNULL(ARRAY_LENGTH(@aoi_ids), 0) = 0 OR aois.aoi_id IN UNNEST(@aoi_ids))
),
periods AS (
  SELECT
    aoi_id, aoi_version, 'month' AS period, DATE_TRUNC(acquired_date, MONTH) AS period_start,
    MAX(processed_at) AS changed_at, COUNT(*) AS overpass_count,
    MAX(area_m2) AS area_m2, MAX(geometry_bytes) AS geometry_bytes, MAX(cell) AS cell
  FROM observed
  GROUP BY aoi_id, aoi_version, period, period_start
  UNION ALL
  SELECT
    aoi_id, aoi_version, 'year' AS period, DATE_TRUNC(acquired_date, YEAR) AS period_start,
    MAX(processed_at) AS changed_at, COUNT(*) AS overpass_count,
    MAX(area_m2) AS area_m2, MAX(geometry_bytes) AS geometry_bytes, MAX(cell) AS cell
  FROM observed
  GROUP BY aoi_id, aoi_version, period, period_start
)
SELECT
  periods.aoi_id, periods.aoi_version, periods.period, CAST(periods.period_start AS DATE) AS period_start,
  periods.overpass_count, periods.area_m2, periods.geometry_bytes, periods.cell
FROM periods
LEFT JOIN `${dataset}.composites_current` AS composites
  ON composites.aoi_id = periods.aoi_id AND composites.aoi_version = periods.aoi_version
  AND composites.period = periods.period AND composites.period_start = periods.period_start
  AND composites.period_start >= @since
  AND composites.period_month >= EXTRACT(YEAR FROM @since) * 100 + EXTRACT(MONTH FROM @since)
WHERE (composites.processed_at IS NULL OR composites.processed_at < periods.changed_at)
  AND (@period = '' OR periods.period = @period)
ORDER BY periods.aoi_id, periods.period_start, periods.period
LIMIT @most
