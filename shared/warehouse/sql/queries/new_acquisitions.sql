-- Of the listed images (an image across the antimeridian comes as two boxes), those that meet the box of an AOI which
-- was not measured with them since they were ingested (a scene that the network classified has the same id), and that are
-- not in the log with the same ingestion time; and
-- whether any of these AOIs was there when the image was ingested.
-- Boxes come as JSON, and meet by cells of one degree first: comparing each with each took twelve times as long.
WITH boxes AS (
  SELECT
    JSON_VALUE(item, '$.image_id') AS image_id,
    CAST(JSON_VALUE(item, '$.version_us') AS INT64) AS version_us,
    CAST(JSON_VALUE(item, '$.west_deg') AS FLOAT64) AS west_deg,
    CAST(JSON_VALUE(item, '$.south_deg') AS FLOAT64) AS south_deg,
    CAST(JSON_VALUE(item, '$.east_deg') AS FLOAT64) AS east_deg,
    CAST(JSON_VALUE(item, '$.north_deg') AS FLOAT64) AS north_deg
  FROM UNNEST(JSON_QUERY_ARRAY(@boxes)) AS item
),
listed AS (
  SELECT
    boxes.image_id, boxes.version_us, boxes.west_deg, boxes.south_deg, boxes.east_deg, boxes.north_deg, cell_x, cell_y
  FROM boxes
  CROSS JOIN UNNEST(GENERATE_ARRAY(CAST(FLOOR(boxes.west_deg) AS INT64), CAST(FLOOR(boxes.east_deg) AS INT64))) AS cell_x
  CROSS JOIN UNNEST(GENERATE_ARRAY(CAST(FLOOR(boxes.south_deg) AS INT64), CAST(FLOOR(boxes.north_deg) AS INT64))) AS cell_y
),
placed AS (
  SELECT
    aois.aoi_id, aois.aoi_version, aois.event_time, aois.west_deg, aois.south_deg, aois.east_deg, aois.north_deg,
    cell_x, cell_y
  FROM `${dataset}.aois` AS aois
  CROSS JOIN UNNEST(GENERATE_ARRAY(CAST(FLOOR(aois.west_deg) AS INT64), CAST(FLOOR(aois.east_deg) AS INT64))) AS cell_x
  CROSS JOIN UNNEST(GENERATE_ARRAY(CAST(FLOOR(aois.south_deg) AS INT64), CAST(FLOOR(aois.north_deg) AS INT64))) AS cell_y
),
met AS (
  SELECT DISTINCT listed.image_id, listed.version_us, placed.aoi_id, placed.aoi_version, placed.event_time
  FROM listed
  JOIN placed
    ON placed.cell_x = listed.cell_x AND placed.cell_y = listed.cell_y
    AND placed.west_deg <= listed.east_deg AND placed.east_deg >= listed.west_deg
    AND placed.south_deg <= listed.north_deg AND placed.north_deg >= listed.south_deg
)
SELECT met.image_id, LOGICAL_OR(met.event_time <= TIMESTAMP_MICROS(met.version_us)) AS aoi_was_there
FROM met
LEFT JOIN `${dataset}.acquisitions` AS logged
  ON logged.image_id = met.image_id AND logged.version_us = met.version_us
  AND logged.acquired_date >= @since AND logged.acquired_month >= EXTRACT(YEAR FROM @since) * 100 + EXTRACT(MONTH FROM @since)
LEFT JOIN (
  SELECT observations.aoi_id, observations.aoi_version, observations.processed_at, used_id AS image_id
  FROM `${dataset}.observations` AS observations
  CROSS JOIN UNNEST(observations.image_ids) AS used_id
  WHERE IFNULL(observations.source, 'dynamic_world') = 'dynamic_world'
    AND observations.acquired_date >= @since AND observations.acquired_month >= EXTRACT(YEAR FROM @since) * 100 + EXTRACT(MONTH FROM @since)
) AS measured
  ON measured.aoi_id = met.aoi_id AND measured.aoi_version = met.aoi_version
  AND measured.image_id = met.image_id
  AND measured.processed_at >= TIMESTAMP_MICROS(met.version_us)
WHERE logged.image_id IS NULL AND measured.image_id IS NULL
GROUP BY met.image_id
ORDER BY met.image_id
