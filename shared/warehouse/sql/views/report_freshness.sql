-- How fresh each current AOI is: its last usable view, the last attempt, what became of every pass since, and when the
-- next pass is due. A pass is usable (coverage at or above the floor), masked (measured, but clouded over the AOI),
-- failed (a dead letter has the reason), too cloudy (no scene of it with 35 % cloud or less, which is what Dynamic World
-- takes), or not published (clear enough, but no image of it was measured yet). A satellite repeats its track every ten
-- days, so each pass of the last ten days comes again ten days later; no clock is asked.
WITH attempts AS (
  SELECT
    aoi_id, aoi_version, overpass_id, coverage, processed_at,
    coverage >= ${coverage_floor} AND valid_area_m2 > 0 AS usable
  FROM `${dataset}.observations_current`
),
passes AS (
  SELECT aoi_id, aoi_version, overpass_id, least_cloud_percent
  FROM `${dataset}.passes_current`
),
failures AS (
  SELECT about.aoi_id, about.aoi_version, overpass_id, MAX(letters.recorded_at) AS recorded_at
  FROM `${dataset}.dead_letters` AS letters
  CROSS JOIN UNNEST(letters.aois) AS about
  CROSS JOIN UNNEST(letters.overpass_ids) AS overpass_id
  GROUP BY about.aoi_id, about.aoi_version, overpass_id
),
overpasses AS (
  SELECT aoi_id, aoi_version, overpass_id FROM attempts
  UNION DISTINCT
  SELECT aoi_id, aoi_version, overpass_id FROM passes
  UNION DISTINCT
  SELECT aoi_id, aoi_version, overpass_id FROM failures
),
fates AS (
  SELECT
    overpasses.aoi_id, overpasses.aoi_version, overpasses.overpass_id,
    SAFE.PARSE_TIMESTAMP('%Y%m%dT%H%M%S', overpasses.overpass_id) AS acquired_at,
    attempts.coverage, passes.least_cloud_percent,
    GREATEST(
      IFNULL(attempts.processed_at, failures.recorded_at), IFNULL(failures.recorded_at, attempts.processed_at)
    ) AS attempted_at,
    CASE
      WHEN attempts.usable THEN 'usable'
      WHEN attempts.overpass_id IS NOT NULL THEN 'masked'
      WHEN failures.overpass_id IS NOT NULL THEN 'failed'
      WHEN passes.least_cloud_percent > 35 THEN 'too cloudy'
      ELSE 'not published'
    END AS fate
  FROM overpasses
  LEFT JOIN attempts
    ON attempts.aoi_id = overpasses.aoi_id AND attempts.aoi_version = overpasses.aoi_version
    AND attempts.overpass_id = overpasses.overpass_id
  LEFT JOIN passes
    ON passes.aoi_id = overpasses.aoi_id AND passes.aoi_version = overpasses.aoi_version
    AND passes.overpass_id = overpasses.overpass_id
  LEFT JOIN failures
    ON failures.aoi_id = overpasses.aoi_id AND failures.aoi_version = overpasses.aoi_version
    AND failures.overpass_id = overpasses.overpass_id
  -- a dead letter may name an overpass that no calendar has
  WHERE SAFE.PARSE_TIMESTAMP('%Y%m%dT%H%M%S', overpasses.overpass_id) IS NOT NULL
),
placed AS (
  SELECT
    fates.aoi_id, fates.aoi_version, fates.overpass_id, fates.acquired_at, fates.attempted_at, fates.fate,
    fates.coverage,
    MAX(fates.acquired_at) OVER (PARTITION BY fates.aoi_id, fates.aoi_version) AS last_pass_at,
    MAX(IF(fates.fate = 'usable', fates.acquired_at, NULL))
      OVER (PARTITION BY fates.aoi_id, fates.aoi_version) AS last_usable_at,
    ROW_NUMBER() OVER (PARTITION BY fates.aoi_id, fates.aoi_version ORDER BY fates.overpass_id DESC) AS age,
    CONCAT(
      FORMAT_TIMESTAMP('%Y-%m-%d', fates.acquired_at), ' ', fates.fate,
      CASE
        WHEN fates.fate = 'usable' OR fates.fate = 'masked'
          THEN CONCAT(' (', CAST(CAST(ROUND(fates.coverage * 100) AS INT64) AS STRING), ' % seen)')
        WHEN fates.least_cloud_percent IS NOT NULL
          THEN CONCAT(' (', CAST(CAST(ROUND(fates.least_cloud_percent) AS INT64) AS STRING), ' % cloud)')
        ELSE ''
      END
    ) AS words
  FROM fates
),
fresh AS (
  SELECT
    aoi_id, aoi_version,
    MAX(last_usable_at) AS last_usable_at,
    MAX(IF(acquired_at = last_usable_at, coverage, NULL)) AS last_usable_coverage,
    MAX(attempted_at) AS last_attempt_at,
    MAX(last_pass_at) AS last_pass_at,
    MAX(IF(age = 1, fate, NULL)) AS last_pass_fate,
    COUNTIF(last_usable_at IS NULL OR acquired_at > last_usable_at) AS passes_since_usable,
    COUNTIF(fate = 'masked' AND (last_usable_at IS NULL OR acquired_at > last_usable_at)) AS masked_since_usable,
    COUNTIF(fate = 'too cloudy' AND (last_usable_at IS NULL OR acquired_at > last_usable_at)) AS cloudy_since_usable,
    COUNTIF(fate = 'not published' AND (last_usable_at IS NULL OR acquired_at > last_usable_at))
      AS unpublished_since_usable,
    COUNTIF(fate = 'failed' AND (last_usable_at IS NULL OR acquired_at > last_usable_at)) AS failed_since_usable,
    STRING_AGG(IF(age <= 5, words, NULL), '; ' ORDER BY age) AS latest_passes,
    TIMESTAMP_ADD(
      MIN(IF(acquired_at > TIMESTAMP_SUB(last_pass_at, INTERVAL 239 HOUR), acquired_at, NULL)), INTERVAL 240 HOUR
    ) AS next_pass_at
  FROM placed
  GROUP BY aoi_id, aoi_version
)
SELECT
  aois.aoi_id,
  aois.aoi_version,
  aois.label AS aoi_label,
  ARRAY_TO_STRING(aois.tags, ', ') AS aoi_tags,
  aois.area_m2 / 10000 AS aoi_area_ha,
  aois.area_m2 / 1000000 AS aoi_area_km2,
  fresh.last_usable_at,
  fresh.last_usable_coverage,
  fresh.last_attempt_at,
  fresh.last_pass_at,
  fresh.last_pass_fate,
  IFNULL(fresh.passes_since_usable, 0) AS passes_since_usable,
  IFNULL(fresh.masked_since_usable, 0) AS masked_since_usable,
  IFNULL(fresh.cloudy_since_usable, 0) AS cloudy_since_usable,
  IFNULL(fresh.unpublished_since_usable, 0) AS unpublished_since_usable,
  IFNULL(fresh.failed_since_usable, 0) AS failed_since_usable,
  fresh.latest_passes,
  fresh.next_pass_at
FROM `${dataset}.aois` AS aois
LEFT JOIN fresh
  ON fresh.aoi_id = aois.aoi_id AND fresh.aoi_version = aois.aoi_version
