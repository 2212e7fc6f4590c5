-- A report view as one client sees it: the areas of its name space, by the ids that it gave them. A view of this text in
-- the client's own dataset is authorised to read; the client is not.
SELECT * REPLACE (SUBSTR(aoi_id, LENGTH('${client}.') + 1) AS aoi_id)
FROM `${dataset}.${view}`
WHERE STARTS_WITH(aoi_id, '${client}.')
