-- Which years of which AOIs (of all when none is named) have a summary of something seen: what a report can be made of.
SELECT aoi_id, year
FROM `${dataset}.report_annual`
WHERE months_observed > 0 AND (IFNULL(ARRAY_LENGTH(@aoi_ids), 0) = 0 OR aoi_id IN UNNEST(@aoi_ids))
GROUP BY aoi_id, year
ORDER BY aoi_id, year DESC
