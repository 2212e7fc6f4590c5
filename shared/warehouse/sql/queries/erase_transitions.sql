-- Rows of some AOIs, as far as they were streamed before a moment: BigQuery changes no row that was streamed lately.
DELETE FROM `${dataset}.transitions`
WHERE aoi_id IN UNNEST(@aoi_ids) AND processed_at < @before
