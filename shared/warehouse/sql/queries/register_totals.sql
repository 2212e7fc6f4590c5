-- How many AOIs are current and how many m² they have: the named ones, and the others. A row is missing where
-- there are none.
SELECT
  aoi_id IN UNNEST(@aoi_ids) AS is_named,
  COUNT(*) AS aoi_count,
  SUM(area_m2) AS area_m2
FROM `${dataset}.aois`
GROUP BY 1
