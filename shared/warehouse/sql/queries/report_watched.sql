-- In which years change was looked for in one AOI, and on how much of its ground; NULL where no earlier year says what
-- is usual.
SELECT
  year, watched_area_m2 / 10000 AS watched_area_ha, limit_area_m2 / 10000 AS limit_ha, baseline_overpass_count,
  processed_at
FROM `${dataset}.changes_current`
WHERE aoi_id = @aoi_id AND aoi_version = @aoi_version
ORDER BY year
