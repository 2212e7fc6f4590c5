-- Pairs of years of current AOIs of which a composite is newer than what became what between them, by AOI, oldest first:
-- each year that was seen with the last one seen before it, and with the baseline year (0: none). An empty list of ids
-- takes all AOIs behind the one named.
WITH seen AS (
  SELECT
    composites.aoi_id, composites.aoi_version, EXTRACT(YEAR FROM composites.period_start) AS year,
    composites.processed_at, composites.overpass_count,
    aois.area_m2, LENGTH(aois.geometry) AS geometry_bytes, IFNULL(aois.cells[SAFE_OFFSET(0)], 0) AS cell
  FROM `${dataset}.composites_current` AS composites
  JOIN `${dataset}.aois` AS aois
    ON aois.aoi_id = composites.aoi_id AND aois.aoi_version = composites.aoi_version
  WHERE composites.period = 'year' AND composites.valid_area_m2 > 0
    AND aois.aoi_id > @after_aoi
    AND (IFNULL(ARRAY_LENGTH(@aoi_ids), 0) = 0 OR aois.aoi_id IN UNNEST(@aoi_ids))
),
placed AS (
  SELECT
    seen.aoi_id, seen.aoi_version, seen.year,
    LAG(seen.year) OVER (PARTITION BY seen.aoi_id, seen.aoi_version ORDER BY seen.year) AS year_before,
    LEAD(seen.year) OVER (PARTITION BY seen.aoi_id, seen.aoi_version ORDER BY seen.year) AS year_after
  FROM seen
),
pairs AS (
  SELECT aoi_id, aoi_version, year, 'previous' AS compared_with, year_before AS other_year
  FROM placed
  WHERE year_before IS NOT NULL
  UNION ALL
  SELECT aoi_id, aoi_version, year, 'baseline' AS compared_with, @baseline_year AS other_year
  FROM placed
  WHERE year != @baseline_year
    AND IFNULL(year_before, 0) != @baseline_year
    AND IFNULL(year_after, 0) != @baseline_year
)
SELECT
  pairs.aoi_id, pairs.aoi_version, pairs.year, pairs.compared_with,
  LEAST(pairs.year, pairs.other_year) AS from_year, GREATEST(pairs.year, pairs.other_year) AS to_year,
  own.overpass_count + other.overpass_count AS overpass_count, own.area_m2, own.geometry_bytes, own.cell
FROM pairs
JOIN seen AS own
  ON own.aoi_id = pairs.aoi_id AND own.aoi_version = pairs.aoi_version AND own.year = pairs.year
JOIN seen AS other
  ON other.aoi_id = pairs.aoi_id AND other.aoi_version = pairs.aoi_version AND other.year = pairs.other_year
LEFT JOIN `${dataset}.transitions_current` AS transitions
  ON transitions.aoi_id = pairs.aoi_id AND transitions.aoi_version = pairs.aoi_version
  AND transitions.year = pairs.year AND transitions.compared_with = pairs.compared_with
  AND transitions.from_year = LEAST(pairs.year, pairs.other_year)
  AND transitions.to_year = GREATEST(pairs.year, pairs.other_year)
WHERE transitions.processed_at IS NULL
  OR transitions.processed_at < GREATEST(own.processed_at, other.processed_at)
ORDER BY pairs.aoi_id, pairs.year, pairs.compared_with
LIMIT @most
