-- Histories that were asked for; queries see them at once, as they would not see streamed rows.
INSERT INTO `${dataset}.histories` (aoi_id, aoi_version, backfill_start, turn, asked_at)
SELECT
  JSON_VALUE(item, '$.aoi_id'),
  CAST(JSON_VALUE(item, '$.aoi_version') AS INT64),
  DATE(JSON_VALUE(item, '$.backfill_start')),
  CAST(JSON_VALUE(item, '$.turn') AS INT64),
  @asked_at
FROM UNNEST(JSON_QUERY_ARRAY(@rows)) AS item
