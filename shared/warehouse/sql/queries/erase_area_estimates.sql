-- Rows of some AOIs, as far as they were streamed before a moment: BigQuery changes no row that was streamed lately.
DELETE FROM `${dataset}.area_estimates`
WHERE aoi_id IN UNNEST(@aoi_ids) AND estimated_at < @before
