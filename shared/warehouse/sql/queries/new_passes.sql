-- Which current AOIs the scenes of one day passed over, by overpass: by boxes, as in new_acquisitions, then exactly (a
-- scene across the antimeridian comes as two boxes). Leaves out what is recorded already. With the size of each AOI.
WITH boxes AS (
  SELECT
    JSON_VALUE(item, '$.scene_id') AS scene_id,
    JSON_VALUE(item, '$.overpass_id') AS overpass_id,
    CAST(JSON_VALUE(item, '$.cloud_percent') AS FLOAT64) AS cloud_percent,
    JSON_VALUE(item, '$.footprint') AS footprint,
    CAST(JSON_VALUE(item, '$.west_deg') AS FLOAT64) AS west_deg,
    CAST(JSON_VALUE(item, '$.south_deg') AS FLOAT64) AS south_deg,
    CAST(JSON_VALUE(item, '$.east_deg') AS FLOAT64) AS east_deg,
    CAST(JSON_VALUE(item, '$.north_deg') AS FLOAT64) AS north_deg
  FROM UNNEST(JSON_QUERY_ARRAY(@scenes)) AS item
),
listed AS (
  SELECT
    boxes.scene_id, boxes.overpass_id, boxes.cloud_percent, boxes.footprint,
    boxes.west_deg, boxes.south_deg, boxes.east_deg, boxes.north_deg, cell_x, cell_y
  FROM boxes
  CROSS JOIN UNNEST(GENERATE_ARRAY(CAST(FLOOR(boxes.west_deg) AS INT64), CAST(FLOOR(boxes.east_deg) AS INT64))) AS cell_x
  CROSS JOIN UNNEST(GENERATE_ARRAY(CAST(FLOOR(boxes.south_deg) AS INT64), CAST(FLOOR(boxes.north_deg) AS INT64))) AS cell_y
),
placed AS (
  SELECT
    aois.aoi_id, aois.aoi_version, aois.area_m2, aois.geometry, aois.west_deg, aois.south_deg, aois.east_deg, aois.north_deg,
    cell_x, cell_y
  FROM `${dataset}.aois` AS aois
  CROSS JOIN UNNEST(GENERATE_ARRAY(CAST(FLOOR(aois.west_deg) AS INT64), CAST(FLOOR(aois.east_deg) AS INT64))) AS cell_x
  CROSS JOIN UNNEST(GENERATE_ARRAY(CAST(FLOOR(aois.south_deg) AS INT64), CAST(FLOOR(aois.north_deg) AS INT64))) AS cell_y
),
seen AS (
  SELECT
    placed.aoi_id, placed.aoi_version, listed.overpass_id,
    COUNT(DISTINCT listed.scene_id) AS scene_count,
    MIN(listed.cloud_percent) AS least_cloud_percent,
    MAX(placed.area_m2) AS area_m2,
    MAX(LENGTH(placed.geometry)) AS geometry_bytes
  FROM listed
  JOIN placed
    ON placed.cell_x = listed.cell_x AND placed.cell_y = listed.cell_y
    AND placed.west_deg <= listed.east_deg AND placed.east_deg >= listed.west_deg
    AND placed.south_deg <= listed.north_deg AND placed.north_deg >= listed.south_deg
  -- what BigQuery cannot read counts by its box
  WHERE IFNULL(
    ST_INTERSECTS(
      SAFE.ST_GEOGFROMGEOJSON(placed.geometry, make_valid => TRUE),
      SAFE.ST_GEOGFROMGEOJSON(listed.footprint, make_valid => TRUE)
    ),
    TRUE
  )
  GROUP BY placed.aoi_id, placed.aoi_version, listed.overpass_id
)
SELECT
  seen.aoi_id, seen.aoi_version, seen.overpass_id, seen.scene_count, seen.least_cloud_percent, seen.area_m2, seen.geometry_bytes
FROM seen
LEFT JOIN `${dataset}.passes_current` AS known
  ON known.aoi_id = seen.aoi_id AND known.aoi_version = seen.aoi_version AND known.overpass_id = seen.overpass_id
  AND known.acquired_date = @day AND known.acquired_month = EXTRACT(YEAR FROM @day) * 100 + EXTRACT(MONTH FROM @day)
WHERE known.overpass_id IS NULL
  OR known.scene_count != seen.scene_count
  OR IFNULL(known.least_cloud_percent, -1) != IFNULL(seen.least_cloud_percent, -1)
ORDER BY seen.aoi_id, seen.overpass_id
