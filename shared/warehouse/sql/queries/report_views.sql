-- What each usable overpass of Dynamic World over one AOI saw in a year, a row a class, for a report.
SELECT
  EXTRACT(MONTH FROM current_obs.acquired_date) AS month_of_year,
  current_obs.overpass_id,
  class.class_id,
  class.label_area_m2
FROM `${dataset}.observations_current` AS current_obs
CROSS JOIN UNNEST(current_obs.classes) AS class
WHERE current_obs.aoi_id = @aoi_id AND current_obs.aoi_version = @aoi_version
  AND current_obs.acquired_date BETWEEN DATE(@year, 1, 1) AND DATE(@year, 12, 31)
  AND current_obs.acquired_month BETWEEN @year * 100 + 1 AND @year * 100 + 12
  AND current_obs.source = 'dynamic_world'
  AND current_obs.coverage >= @coverage_floor AND current_obs.valid_area_m2 > 0
ORDER BY current_obs.overpass_id, class.class_id
