-- What became of each known pass over one AOI in a year, for a report. The rule is that of report_freshness: a view for
-- both would be a third layer of views, so a test holds them together.
WITH attempts AS (
  SELECT overpass_id, coverage, source, processed_at, coverage >= @coverage_floor AND valid_area_m2 > 0 AS usable
  FROM `${dataset}.observations_current`
  WHERE aoi_id = @aoi_id AND aoi_version = @aoi_version
    AND acquired_date BETWEEN DATE(@year, 1, 1) AND DATE(@year, 12, 31)
    AND acquired_month BETWEEN @year * 100 + 1 AND @year * 100 + 12
),
passes AS (
  SELECT overpass_id, least_cloud_percent
  FROM `${dataset}.passes_current`
  WHERE aoi_id = @aoi_id AND aoi_version = @aoi_version
    AND acquired_date BETWEEN DATE(@year, 1, 1) AND DATE(@year, 12, 31)
    AND acquired_month BETWEEN @year * 100 + 1 AND @year * 100 + 12
),
failures AS (
  SELECT DISTINCT overpass_id
  FROM `${dataset}.dead_letters` AS letters
  CROSS JOIN UNNEST(letters.aois) AS about
  CROSS JOIN UNNEST(letters.overpass_ids) AS overpass_id
  WHERE about.aoi_id = @aoi_id AND about.aoi_version = @aoi_version
    -- a dead letter may name an overpass that no calendar has
    AND EXTRACT(YEAR FROM SAFE.PARSE_TIMESTAMP('%Y%m%dT%H%M%S', overpass_id)) = @year
),
known AS (
  SELECT overpass_id FROM attempts
  UNION DISTINCT
  SELECT overpass_id FROM passes
  UNION DISTINCT
  SELECT overpass_id FROM failures
)
SELECT
  known.overpass_id,
  EXTRACT(MONTH FROM PARSE_TIMESTAMP('%Y%m%dT%H%M%S', known.overpass_id)) AS month_of_year,
  CASE
    WHEN attempts.usable THEN 'usable'
    WHEN attempts.overpass_id IS NOT NULL THEN 'masked'
    WHEN failures.overpass_id IS NOT NULL THEN 'failed'
    WHEN passes.least_cloud_percent > 35 THEN 'too cloudy'
    ELSE 'not published'
  END AS fate,
  attempts.coverage,
  attempts.source,
  attempts.processed_at,
  passes.least_cloud_percent
FROM known
LEFT JOIN attempts ON attempts.overpass_id = known.overpass_id
LEFT JOIN passes ON passes.overpass_id = known.overpass_id
LEFT JOIN failures ON failures.overpass_id = known.overpass_id
ORDER BY known.overpass_id
