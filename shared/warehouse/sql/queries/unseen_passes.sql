-- Passes of one day over current AOIs of which there is no observation and Dynamic World has, or had until then, no image
-- to make one of: too cloudy for it (more than 35 %), or not published long after.
SELECT passes.aoi_id, passes.aoi_version, passes.overpass_id, aois.area_m2, LENGTH(aois.geometry) AS geometry_bytes
FROM `${dataset}.passes_current` AS passes
JOIN `${dataset}.aois` AS aois
  ON aois.aoi_id = passes.aoi_id AND aois.aoi_version = passes.aoi_version
LEFT JOIN `${dataset}.observations_current` AS observed
  ON observed.aoi_id = passes.aoi_id AND observed.aoi_version = passes.aoi_version
  AND observed.overpass_id = passes.overpass_id
  AND observed.acquired_date = @day AND observed.acquired_month = EXTRACT(YEAR FROM @day) * 100 + EXTRACT(MONTH FROM @day)
WHERE passes.acquired_date = @day AND passes.acquired_month = EXTRACT(YEAR FROM @day) * 100 + EXTRACT(MONTH FROM @day)
  AND observed.overpass_id IS NULL
  AND (passes.least_cloud_percent > 35 OR passes.acquired_at < @unpublished_before)
ORDER BY passes.overpass_id, passes.aoi_id
