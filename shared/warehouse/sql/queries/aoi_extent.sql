-- How many AOIs there are and the box around all of them.
SELECT
  COUNT(*) AS aoi_count,
  MIN(west_deg) AS west_deg, MIN(south_deg) AS south_deg, MAX(east_deg) AS east_deg, MAX(north_deg) AS north_deg
FROM `${dataset}.aois`
