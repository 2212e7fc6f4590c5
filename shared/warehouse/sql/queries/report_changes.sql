-- The patches of changed ground of one AOI, those of all years, for a report.
SELECT
  year, patch_id, state, alarm, from_class_id, to_class_id, area_ha, still_area_ha, limit_ha, happened_after,
  happened_before, confirmed_at, withdrawn_at, longitude, latitude, outline,
  compared_from, compared_until, supported_area_ha
FROM `${dataset}.report_patches`
WHERE aoi_id = @aoi_id
ORDER BY year, area_ha DESC, patch_id
