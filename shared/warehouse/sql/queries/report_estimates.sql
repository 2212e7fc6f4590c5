-- Areas of classes of one AOI and year from a reference sample, where there is one, for a report.
SELECT class_id, points, estimated_area_ha, half_width_ha
FROM `${dataset}.report_areas`
WHERE aoi_id = @aoi_id AND year = @year AND quantity = 'class' AND from_year IS NULL
ORDER BY class_id
