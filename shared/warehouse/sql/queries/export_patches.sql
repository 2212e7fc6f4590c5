-- Patches of changed ground of current AOIs, as report_patches has them.
SELECT
  aoi_id, aoi_version, year, patch_id, state, alarm, from_class_id, from_class_name, to_class_id, to_class_name, area_ha,
  still_area_ha, limit_ha, happened_after, happened_before, confirmed_at, withdrawn_at, longitude, latitude, outline,
  compared_from, compared_until, supported_area_ha
FROM `${dataset}.report_patches`
ORDER BY aoi_id, year, patch_id
