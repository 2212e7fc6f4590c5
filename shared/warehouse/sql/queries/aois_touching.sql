-- Current AOIs that meet a footprint: first by bounding box, then exactly.
SELECT aoi_id, aoi_version, area_m2, LENGTH(geometry) AS geometry_bytes
FROM `${dataset}.aois`
WHERE west_deg <= @east_deg AND east_deg >= @west_deg AND south_deg <= @north_deg AND north_deg >= @south_deg
  AND ST_INTERSECTS(ST_GEOGFROMGEOJSON(geometry), ST_GEOGFROMGEOJSON(@footprint))
ORDER BY aoi_id
