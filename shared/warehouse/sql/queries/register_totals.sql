-- How many AOIs are current and how many m² they have: the named ones and the others, in a name space and outside it. A
-- row is missing where there are none.
SELECT
  aoi_id IN UNNEST(@aoi_ids) AS is_named,
  STARTS_WITH(aoi_id, @name_space) AS is_own,
  COUNT(*) AS aoi_count,
  SUM(area_m2) AS area_m2
FROM `${dataset}.aois`
GROUP BY is_named, is_own
