-- What became what in one AOI between all pairs of years that are compared, for a report.
SELECT
  from_year, to_year, compared_with, from_class_id, to_class_id, mapped_area_ha, alike_mapped_area_ha, alike_from_year,
  alike_to_year, supported_area_ha, least_move, calibrated, estimated_area_ha, half_width_ha, seen_in_both_ha,
  seen_in_both_share
FROM `${dataset}.report_transitions`
WHERE aoi_id = @aoi_id
ORDER BY to_year, from_year, from_class_id, to_class_id
