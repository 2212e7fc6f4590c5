-- Unbiased areas from reference samples: the newest estimate of each current AOI and period, a row for each class, all
-- change, or each transition. Intervals are 1.96 standard errors to each side.
WITH newest AS (
  SELECT *, MAX(estimated_at) OVER (PARTITION BY aoi_id, aoi_version, strata, from_year, year) AS newest_at
  FROM `${dataset}.area_estimates`
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY aoi_id, aoi_version, strata, from_year, year, quantity, from_class_id, class_id
    ORDER BY estimated_at DESC
  ) = 1
)
SELECT
  newest.aoi_id,
  newest.aoi_version,
  aois.label AS aoi_label,
  ARRAY_TO_STRING(aois.tags, ', ') AS aoi_tags,
  aois.area_m2 / 10000 AS aoi_area_ha,
  aois.area_m2 / 1000000 AS aoi_area_km2,
  newest.from_year,
  newest.year,
  newest.quantity,
  newest.from_class_name,
  newest.class_id,
  newest.class_name,
  CASE newest.class_id
    WHEN 0 THEN '#419BDF' WHEN 1 THEN '#397D49' WHEN 2 THEN '#88B053' WHEN 3 THEN '#7A87C6' WHEN 4 THEN '#E49635'
    WHEN 5 THEN '#DFC35A' WHEN 6 THEN '#C4281B' WHEN 7 THEN '#A59B8F' WHEN 8 THEN '#B39FE1'
  END AS class_colour,
  newest.sample_id,
  newest.points,
  newest.mapped_area_m2 / 10000 AS mapped_area_ha,
  newest.area_m2 / 10000 AS estimated_area_ha,
  1.96 * newest.standard_error_m2 / 10000 AS half_width_ha,
  1.96 * newest.careful_standard_error_m2 / 10000 AS careful_half_width_ha,
  newest.missed_at_most_m2 / 10000 AS missed_at_most_ha,
  newest.regression_area_m2 / 10000 AS regression_area_ha,
  1.96 * newest.regression_standard_error_m2 / 10000 AS regression_half_width_ha,
  newest.users_accuracy,
  1.96 * newest.users_standard_error AS users_half_width,
  newest.producers_accuracy,
  1.96 * newest.producers_standard_error AS producers_half_width,
  newest.overall_accuracy,
  1.96 * newest.overall_standard_error AS overall_half_width,
  newest.estimated_at
FROM newest
JOIN `${dataset}.aois` AS aois
  ON aois.aoi_id = newest.aoi_id AND aois.aoi_version = newest.aoi_version
WHERE newest.estimated_at = newest.newest_at
