-- Current AOIs that meet a footprint: first by bounding box, then exactly. A geometry that BigQuery cannot read, though
-- it passed all checks, counts by its box: it must not fail the query for all others.
SELECT aoi_id, aoi_version, area_m2, LENGTH(geometry) AS geometry_bytes
FROM `${dataset}.aois`
WHERE west_deg <= @east_deg AND east_deg >= @west_deg AND south_deg <= @north_deg AND north_deg >= @south_deg
  AND IFNULL(
    ST_INTERSECTS(
      SAFE.ST_GEOGFROMGEOJSON(geometry, make_valid => TRUE), SAFE.ST_GEOGFROMGEOJSON(@footprint, make_valid => TRUE)
    ),
    TRUE
  )
ORDER BY aoi_id
