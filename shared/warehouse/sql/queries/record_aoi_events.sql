-- Events of one call, all that are given here or none, each with the number of its geometry: the one it has, or the next.
-- Leaves out what an earlier attempt recorded, and everything where another body came under the same id.
-- Two calls at once never number from the same state: each updates the row of turns, and of two statements that change
-- one row BigQuery lets the second run again from what the first left. An INSERT alone, or a MERGE that only inserts,
-- conflicts with nothing and would give two geometries one number.
MERGE `${dataset}.aoi_events` AS target
USING (
  WITH given AS (
    SELECT
      JSON_VALUE(item, '$.aoi_id') AS aoi_id,
      JSON_VALUE(item, '$.label') AS label,
      JSON_VALUE_ARRAY(item, '$.tags') AS tags,
      JSON_VALUE(item, '$.geometry') AS geometry,
      JSON_VALUE(item, '$.geometry_sha256') AS geometry_sha256,
      CAST(JSON_VALUE(item, '$.area_m2') AS FLOAT64) AS area_m2,
      CAST(JSON_VALUE(item, '$.west_deg') AS FLOAT64) AS west_deg,
      CAST(JSON_VALUE(item, '$.south_deg') AS FLOAT64) AS south_deg,
      CAST(JSON_VALUE(item, '$.east_deg') AS FLOAT64) AS east_deg,
      CAST(JSON_VALUE(item, '$.north_deg') AS FLOAT64) AS north_deg,
      ARRAY(SELECT CAST(cell AS INT64) FROM UNNEST(JSON_VALUE_ARRAY(item, '$.cells')) AS cell) AS cells,
      DATE(JSON_VALUE(item, '$.backfill_start')) AS backfill_start
    FROM UNNEST(JSON_QUERY_ARRAY(@rows)) AS item
  ),
  of_this_call AS (
    SELECT aoi_id, body_sha256
    FROM `${dataset}.aoi_events`
    WHERE webhook_id = @webhook_id
  ),
  versions AS (
    SELECT aoi_id, geometry_sha256, MIN(aoi_version) AS aoi_version
    FROM `${dataset}.aoi_events`
    WHERE event_type = 'aoi.registered'
    GROUP BY aoi_id, geometry_sha256
  ),
  latest AS (
    SELECT aoi_id, MAX(aoi_version) AS aoi_version
    FROM versions
    GROUP BY aoi_id
  ),
  turns AS (
    SELECT IFNULL(MAX(turn), 0) + 1 AS turn
    FROM `${dataset}.aoi_events`
  )
  SELECT
    CAST(NULL AS STRING) AS row_of_turns, given.aoi_id, given.label, given.tags, given.geometry, given.geometry_sha256,
    given.area_m2, given.west_deg, given.south_deg, given.east_deg, given.north_deg, given.cells, given.backfill_start,
    turns.turn,
    IF(
      given.geometry_sha256 IS NULL,
      latest.aoi_version, IFNULL(versions.aoi_version, IFNULL(latest.aoi_version, 0) + 1)
    ) AS aoi_version
  FROM given
  CROSS JOIN turns
  LEFT JOIN versions
    ON versions.aoi_id = given.aoi_id AND versions.geometry_sha256 = given.geometry_sha256
  LEFT JOIN latest
    ON latest.aoi_id = given.aoi_id
  LEFT JOIN of_this_call
    ON of_this_call.aoi_id = given.aoi_id
  WHERE of_this_call.aoi_id IS NULL
    AND (SELECT COUNT(*) FROM of_this_call WHERE body_sha256 != @body_sha256) = 0
  UNION ALL
  SELECT
    'register.turn', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, turns.turn, NULL
  FROM turns
) AS source
ON target.event_type = source.row_of_turns
WHEN MATCHED THEN UPDATE SET
  turn = source.turn,
  recorded_at = @recorded_at
WHEN NOT MATCHED AND source.row_of_turns IS NULL THEN INSERT (
  webhook_id, body_sha256, event_type, event_time, recorded_at, turn, aoi_id, aoi_version, label, tags, geometry,
  geometry_sha256, area_m2, west_deg, south_deg, east_deg, north_deg, cells, backfill_start, code_version
) VALUES (
  @webhook_id, @body_sha256, @event_type, @event_time, @recorded_at, source.turn, source.aoi_id, source.aoi_version,
  source.label, source.tags, source.geometry, source.geometry_sha256, source.area_m2, source.west_deg, source.south_deg,
  source.east_deg, source.north_deg, source.cells, source.backfill_start, @code_version
)
