-- Events of AOIs, all of one call or none; queries see them at once, as they would not see streamed rows.
INSERT INTO `${dataset}.aoi_events` (
  webhook_id, event_type, event_time, recorded_at, aoi_id, aoi_version, label, tags, geometry, geometry_sha256, area_m2,
  west_deg, south_deg, east_deg, north_deg, cells, backfill_start, code_version
)
SELECT
  JSON_VALUE(item, '$.webhook_id'),
  JSON_VALUE(item, '$.event_type'),
  TIMESTAMP(JSON_VALUE(item, '$.event_time')),
  TIMESTAMP(JSON_VALUE(item, '$.recorded_at')),
  JSON_VALUE(item, '$.aoi_id'),
  CAST(JSON_VALUE(item, '$.aoi_version') AS INT64),
  JSON_VALUE(item, '$.label'),
  JSON_VALUE_ARRAY(item, '$.tags'),
  JSON_VALUE(item, '$.geometry'),
  JSON_VALUE(item, '$.geometry_sha256'),
  CAST(JSON_VALUE(item, '$.area_m2') AS FLOAT64),
  CAST(JSON_VALUE(item, '$.west_deg') AS FLOAT64),
  CAST(JSON_VALUE(item, '$.south_deg') AS FLOAT64),
  CAST(JSON_VALUE(item, '$.east_deg') AS FLOAT64),
  CAST(JSON_VALUE(item, '$.north_deg') AS FLOAT64),
  ARRAY(SELECT CAST(cell AS INT64) FROM UNNEST(JSON_VALUE_ARRAY(item, '$.cells')) AS cell),
  DATE(JSON_VALUE(item, '$.backfill_start')),
  JSON_VALUE(item, '$.code_version')
FROM UNNEST(JSON_QUERY_ARRAY(@rows)) AS item
