-- The middle of the box of the first current AOI: a place that matters to whoever runs this deployment.
SELECT (west_deg + east_deg) / 2 AS longitude_deg, (south_deg + north_deg) / 2 AS latitude_deg
FROM `${dataset}.aois`
ORDER BY aoi_id
LIMIT 1
