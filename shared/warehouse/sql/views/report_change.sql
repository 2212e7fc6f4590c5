-- How months differ: each month of a current AOI beside the same month of earlier years, a row a class.
-- Only months count whose composite saw 0.9 of the AOI, then and now: both saw the same 0.8 of it at least. Of less, they
-- differ by what ground they saw. The view describes and flags nothing: shares of ground where nothing happens differ by
-- as much. Alarms are in report_patches.
WITH seen AS (
  SELECT
    summary.aoi_id, summary.aoi_version, summary.month, summary.class_id, summary.class_name,
    EXTRACT(YEAR FROM summary.month) AS year,
    EXTRACT(MONTH FROM summary.month) AS month_of_year,
    summary.observation_count, summary.mean_coverage, summary.composite_share,
    IFNULL(summary.probability_share, summary.mean_share) AS expected_share
  FROM `${dataset}.monthly_summary` AS summary
  WHERE summary.composite_share IS NOT NULL
  QUALIFY SUM(summary.composite_area_m2) OVER (PARTITION BY summary.aoi_id, summary.aoi_version, summary.month)
    >= 0.9 * summary.aoi_area_m2
),
compared AS (
  SELECT
    latest.aoi_id, latest.aoi_version, latest.month, latest.class_id, latest.class_name,
    latest.observation_count, latest.mean_coverage, latest.composite_share, latest.expected_share,
    COUNT(*) AS baseline_years,
    AVG(earlier.composite_share) AS baseline_share,
    MIN(earlier.composite_share) AS baseline_min_share,
    MAX(earlier.composite_share) AS baseline_max_share,
    AVG(earlier.expected_share) AS baseline_expected_share
  FROM seen AS latest
  JOIN seen AS earlier
    ON earlier.aoi_id = latest.aoi_id AND earlier.aoi_version = latest.aoi_version
    AND earlier.class_id = latest.class_id AND earlier.month_of_year = latest.month_of_year
    AND earlier.year < latest.year
  GROUP BY
    latest.aoi_id, latest.aoi_version, latest.month, latest.class_id, latest.class_name,
    latest.observation_count, latest.mean_coverage, latest.composite_share, latest.expected_share
)
SELECT
  compared.aoi_id,
  compared.aoi_version,
  aois.label AS aoi_label,
  ARRAY_TO_STRING(aois.tags, ', ') AS aoi_tags,
  aois.area_m2 / 10000 AS aoi_area_ha,
  aois.area_m2 / 1000000 AS aoi_area_km2,
  compared.month,
  compared.class_id,
  compared.class_name,
  CASE compared.class_id
    WHEN 0 THEN '#419BDF' WHEN 1 THEN '#397D49' WHEN 2 THEN '#88B053' WHEN 3 THEN '#7A87C6' WHEN 4 THEN '#E49635'
    WHEN 5 THEN '#DFC35A' WHEN 6 THEN '#C4281B' WHEN 7 THEN '#A59B8F' WHEN 8 THEN '#B39FE1'
  END AS class_colour,
  compared.observation_count,
  compared.mean_coverage,
  compared.composite_share,
  compared.baseline_years,
  compared.baseline_share,
  compared.baseline_min_share,
  compared.baseline_max_share,
  compared.composite_share - compared.baseline_share AS change_share,
  (compared.composite_share - compared.baseline_share) * aois.area_m2 / 10000 AS change_area_ha,
  compared.expected_share - compared.baseline_expected_share AS expected_change_share,
  (compared.expected_share - compared.baseline_expected_share) * aois.area_m2 / 10000 AS expected_change_area_ha
FROM compared
JOIN `${dataset}.aois` AS aois
  ON aois.aoi_id = compared.aoi_id AND aois.aoi_version = compared.aoi_version
