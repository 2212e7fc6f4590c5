-- Dead letters whose message names some AOI, as far as they were streamed before a moment.
DELETE FROM `${dataset}.dead_letters`
WHERE recorded_at < @before
  AND EXISTS (SELECT 1 FROM UNNEST(@aoi_ids) AS aoi_id WHERE STRPOS(body, CONCAT('"', aoi_id, '"')) > 0)
