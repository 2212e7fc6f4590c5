-- Months and years of current AOIs whose observations changed after their composite was computed, oldest first.
-- An empty period takes both. Looks at what was acquired since a day only, which is the first of a year.
WITH observed AS (
  SELECT current_obs.aoi_id, current_obs.aoi_version, current_obs.acquired_date, current_obs.processed_at
  FROM `${dataset}.observations_current` AS current_obs
  JOIN `${dataset}.aois` AS aois
    ON aois.aoi_id = current_obs.aoi_id AND aois.aoi_version = current_obs.aoi_version
  WHERE current_obs.acquired_date >= @since
),
periods AS (
  SELECT
    aoi_id, aoi_version, 'month' AS period, DATE_TRUNC(acquired_date, MONTH) AS period_start,
    MAX(processed_at) AS changed_at, COUNT(*) AS overpass_count
  FROM observed
  GROUP BY aoi_id, aoi_version, period, period_start
  UNION ALL
  SELECT
    aoi_id, aoi_version, 'year' AS period, DATE_TRUNC(acquired_date, YEAR) AS period_start,
    MAX(processed_at) AS changed_at, COUNT(*) AS overpass_count
  FROM observed
  GROUP BY aoi_id, aoi_version, period, period_start
)
SELECT
  periods.aoi_id, periods.aoi_version, periods.period, CAST(periods.period_start AS DATE) AS period_start,
  periods.overpass_count
FROM periods
LEFT JOIN `${dataset}.composites_current` AS composites
  ON composites.aoi_id = periods.aoi_id AND composites.aoi_version = periods.aoi_version
  AND composites.period = periods.period AND composites.period_start = periods.period_start
  AND composites.period_start >= @since
WHERE (composites.processed_at IS NULL OR composites.processed_at < periods.changed_at)
  AND (@period = '' OR periods.period = @period)
ORDER BY periods.aoi_id, periods.period_start, periods.period
LIMIT @most
