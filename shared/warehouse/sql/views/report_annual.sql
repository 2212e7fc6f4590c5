-- Flat, for charts: one row for each current AOI, year and class, with names, colours and areas in hectares.
SELECT
  summary.aoi_id,
  summary.aoi_version,
  aois.label AS aoi_label,
  ARRAY_TO_STRING(aois.tags, ', ') AS aoi_tags,
  aois.area_m2 / 10000 AS aoi_area_ha,
  aois.area_m2 / 1000000 AS aoi_area_km2,
  summary.year,
  summary.months_observed,
  summary.months_filled,
  summary.class_id,
  summary.class_name,
  CASE summary.class_id
    WHEN 0 THEN '#419BDF' WHEN 1 THEN '#397D49' WHEN 2 THEN '#88B053' WHEN 3 THEN '#7A87C6' WHEN 4 THEN '#E49635'
    WHEN 5 THEN '#DFC35A' WHEN 6 THEN '#C4281B' WHEN 7 THEN '#A59B8F' WHEN 8 THEN '#B39FE1'
  END AS class_colour,
  summary.observation_count,
  summary.skipped_count,
  IFNULL(summary.network_count, 0) AS network_count,
  summary.mean_coverage,
  summary.seen_share,
  summary.effective_views,
  CASE
    WHEN summary.observation_count = 0 THEN 'none'
    WHEN summary.seen_share < 0.7 OR ROUND(summary.effective_views, 1) < 1.5 THEN 'thin'
    WHEN summary.seen_share >= 0.9 AND ROUND(summary.effective_views, 1) >= 2 THEN 'good'
    ELSE 'fair'
  END AS quality,
  summary.mean_share,
  summary.mean_area_m2 / 10000 AS mean_area_ha,
  summary.mean_area_m2 / 1000000 AS mean_area_km2,
  summary.mean_seen_share,
  summary.mean_seen_area_m2 / 10000 AS mean_seen_area_ha,
  summary.probability_share,
  summary.composite_share,
  summary.composite_area_m2 / 10000 AS composite_area_ha,
  summary.composite_area_m2 / 1000000 AS composite_area_km2,
  summary.settled_share,
  summary.settled_area_m2 / 10000 AS settled_area_ha,
  summary.settled_area_m2 / 1000000 AS settled_area_km2
FROM `${dataset}.annual_summary` AS summary
JOIN `${dataset}.aois` AS aois
  ON aois.aoi_id = summary.aoi_id AND aois.aoi_version = summary.aoi_version
