-- What became what in current AOIs between two years, a row for each pair of classes. Maps of ground where nothing happens
-- differ too, so each cell stands beside that of the two years of the AOI that are most alike. Supported is what is more
-- than that: Δ is the least whose patches between those two years are less than 0.3 % of the AOI; where there are no two
-- consecutive pairs of years to choose from, 0.2.
WITH totals AS (
  SELECT
    transitions.aoi_id, transitions.aoi_version, transitions.from_year, transitions.to_year, transitions.aoi_area_m2,
    SAFE_DIVIDE(
      SUM(IF(cell.from_class_id != cell.to_class_id, cell.mapped_area_m2, 0)), transitions.seen_in_both_m2
    ) AS differs_share,
    SUM(cell.supported_15_area_m2) AS supported_15_area_m2,
    SUM(cell.supported_20_area_m2) AS supported_20_area_m2,
    SUM(cell.supported_25_area_m2) AS supported_25_area_m2
  FROM `${dataset}.transitions_current` AS transitions
  CROSS JOIN UNNEST(transitions.cells) AS cell
  WHERE transitions.compared_with = 'previous' AND transitions.seen_in_both_m2 >= 0.5 * transitions.aoi_area_m2
  GROUP BY
    transitions.aoi_id, transitions.aoi_version, transitions.from_year, transitions.to_year, transitions.aoi_area_m2,
    transitions.seen_in_both_m2
),
alike AS (
  SELECT
    aoi_id, aoi_version, from_year, to_year,
    CASE
      WHEN supported_15_area_m2 < 0.003 * aoi_area_m2 THEN 0.15
      WHEN supported_20_area_m2 < 0.003 * aoi_area_m2 THEN 0.2
      WHEN supported_25_area_m2 < 0.003 * aoi_area_m2 THEN 0.25
      ELSE 0.3
    END AS least_move
  FROM totals
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY aoi_id, aoi_version ORDER BY differs_share, from_year) = 1
    AND COUNT(*) OVER (PARTITION BY aoi_id, aoi_version) > 1
),
alike_cells AS (
  SELECT
    alike.aoi_id, alike.aoi_version, alike.from_year, alike.to_year, alike.least_move,
    cell.from_class_id, cell.to_class_id, cell.mapped_area_m2
  FROM alike
  JOIN `${dataset}.transitions_current` AS transitions
    ON transitions.aoi_id = alike.aoi_id AND transitions.aoi_version = alike.aoi_version
    AND transitions.from_year = alike.from_year AND transitions.to_year = alike.to_year
  CROSS JOIN UNNEST(transitions.cells) AS cell
),
estimates AS (
  SELECT
    aoi_id, aoi_version, from_year, year, from_class_id, class_id, area_m2, standard_error_m2, estimated_at,
    MAX(estimated_at) OVER (PARTITION BY aoi_id, aoi_version, from_year, year) AS newest_at
  FROM `${dataset}.area_estimates`
  WHERE quantity = 'transition' AND strata = 'change'
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY aoi_id, aoi_version, from_year, year, from_class_id, class_id
    ORDER BY estimated_at DESC
  ) = 1
)
SELECT
  transitions.aoi_id,
  transitions.aoi_version,
  aois.label AS aoi_label,
  ARRAY_TO_STRING(aois.tags, ', ') AS aoi_tags,
  aois.area_m2 / 10000 AS aoi_area_ha,
  aois.area_m2 / 1000000 AS aoi_area_km2,
  transitions.from_year,
  transitions.to_year,
  transitions.compared_with,
  cell.from_class_id,
  cell.from_class_name,
  cell.to_class_id,
  cell.to_class_name,
  cell.mapped_area_m2 / 10000 AS mapped_area_ha,
  alike_cells.mapped_area_m2 / 10000 AS alike_mapped_area_ha,
  alike_cells.from_year AS alike_from_year,
  alike_cells.to_year AS alike_to_year,
  CASE IFNULL(alike_cells.least_move, 0.2)
    WHEN 0.15 THEN cell.supported_15_area_m2
    WHEN 0.2 THEN cell.supported_20_area_m2
    WHEN 0.25 THEN cell.supported_25_area_m2
    ELSE cell.supported_30_area_m2
  END / 10000 AS supported_area_ha,
  IF(cell.supported_20_area_m2 IS NULL, NULL, IFNULL(alike_cells.least_move, 0.2)) AS least_move,
  cell.supported_20_area_m2 IS NOT NULL AND alike_cells.least_move IS NOT NULL AS calibrated,
  estimates.area_m2 / 10000 AS estimated_area_ha,
  1.96 * estimates.standard_error_m2 / 10000 AS half_width_ha,
  transitions.seen_in_both_m2 / 10000 AS seen_in_both_ha,
  transitions.seen_in_both_m2 / transitions.aoi_area_m2 AS seen_in_both_share
FROM `${dataset}.transitions_current` AS transitions
CROSS JOIN UNNEST(transitions.cells) AS cell
JOIN `${dataset}.aois` AS aois
  ON aois.aoi_id = transitions.aoi_id AND aois.aoi_version = transitions.aoi_version
LEFT JOIN alike_cells
  ON alike_cells.aoi_id = transitions.aoi_id AND alike_cells.aoi_version = transitions.aoi_version
  AND alike_cells.from_class_id = cell.from_class_id AND alike_cells.to_class_id = cell.to_class_id
LEFT JOIN estimates
  ON estimates.aoi_id = transitions.aoi_id AND estimates.aoi_version = transitions.aoi_version
  AND estimates.from_year = transitions.from_year AND estimates.year = transitions.to_year
  AND estimates.from_class_id = cell.from_class_id AND estimates.class_id = cell.to_class_id
  AND estimates.estimated_at = estimates.newest_at
