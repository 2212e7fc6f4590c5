-- Months and years of current AOIs whose observations changed after their composite was computed, by AOI, oldest first:
-- of a month those of the twelve before it count as well, which settle its ties and gaps. What was computed before
-- composites were settled is stale. An empty period takes both, an empty list of ids all AOIs behind the one named. Looks
-- at composites since a day only, which is the first of a year.
WITH observed AS (
  SELECT
    current_obs.aoi_id, current_obs.aoi_version, current_obs.acquired_date, current_obs.processed_at,
    aois.area_m2, LENGTH(aois.geometry) AS geometry_bytes, IFNULL(aois.cells[SAFE_OFFSET(0)], 0) AS cell
  FROM `${dataset}.observations_current` AS current_obs
  JOIN `${dataset}.aois` AS aois
    ON aois.aoi_id = current_obs.aoi_id AND aois.aoi_version = current_obs.aoi_version
  WHERE current_obs.source = 'dynamic_world'
    AND current_obs.acquired_date >= DATE_SUB(@since, INTERVAL 1 YEAR)
    AND current_obs.acquired_month >= (EXTRACT(YEAR FROM @since) - 1) * 100 + EXTRACT(MONTH FROM @since)
    AND aois.aoi_id > @after_aoi
    AND (IFNULL(ARRAY_LENGTH(@aoi_ids), 0) = 0 OR aois.aoi_id IN UNNEST(@aoi_ids))
),
months AS (
  SELECT
    aoi_id, aoi_version, DATE_TRUNC(acquired_date, MONTH) AS period_start,
    EXTRACT(YEAR FROM acquired_date) * 12 + EXTRACT(MONTH FROM acquired_date) AS month_number,
    MAX(processed_at) AS changed_at, COUNT(*) AS overpass_count,
    MAX(area_m2) AS area_m2, MAX(geometry_bytes) AS geometry_bytes, MAX(cell) AS cell
  FROM observed
  GROUP BY aoi_id, aoi_version, period_start, month_number
),
periods AS (
  SELECT
    aoi_id, aoi_version, 'month' AS period, period_start,
    MAX(changed_at) OVER (
      PARTITION BY aoi_id, aoi_version ORDER BY month_number RANGE BETWEEN 12 PRECEDING AND CURRENT ROW
    ) AS changed_at,
    overpass_count,
    IFNULL(SUM(overpass_count) OVER (
      PARTITION BY aoi_id, aoi_version ORDER BY month_number RANGE BETWEEN 12 PRECEDING AND 1 PRECEDING
    ), 0) AS earlier_count,
    area_m2, geometry_bytes, cell
  FROM months
  UNION ALL
  SELECT
    aoi_id, aoi_version, 'year' AS period, DATE_TRUNC(period_start, YEAR) AS period_start,
    MAX(changed_at) AS changed_at, SUM(overpass_count) AS overpass_count, 0 AS earlier_count,
    MAX(area_m2) AS area_m2, MAX(geometry_bytes) AS geometry_bytes, MAX(cell) AS cell
  FROM months
  GROUP BY aoi_id, aoi_version, period, DATE_TRUNC(period_start, YEAR)
)
SELECT
  periods.aoi_id, periods.aoi_version, periods.period, CAST(periods.period_start AS DATE) AS period_start,
  CAST(periods.overpass_count AS INT64) AS overpass_count, CAST(periods.earlier_count AS INT64) AS earlier_count,
  periods.area_m2, periods.geometry_bytes, periods.cell
FROM periods
LEFT JOIN `${dataset}.composites_current` AS composites
  ON composites.aoi_id = periods.aoi_id AND composites.aoi_version = periods.aoi_version
  AND composites.period = periods.period AND composites.period_start = periods.period_start
  AND composites.period_start >= @since
  AND composites.period_month >= EXTRACT(YEAR FROM @since) * 100 + EXTRACT(MONTH FROM @since)
WHERE periods.period_start >= @since
  AND (
    composites.processed_at IS NULL OR composites.processed_at < periods.changed_at OR composites.filled_area_m2 IS NULL
  )
  AND (@period = '' OR periods.period = @period)
ORDER BY periods.aoi_id, periods.period_start, periods.period
LIMIT @most
