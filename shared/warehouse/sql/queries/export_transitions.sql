-- What became what in current AOIs for a CSV file, 81 rows for each pair of years.
SELECT
  report.aoi_id, report.aoi_version, CAST(report.from_year AS STRING) AS from_period,
  CAST(report.to_year AS STRING) AS to_period, report.from_class_id, report.from_class_name, report.to_class_id,
  report.to_class_name, report.mapped_area_ha * 10000 AS mapped_area_m2,
  report.supported_area_ha * 10000 AS supported_area_m2, transitions.seen_in_both_m2, transitions.aoi_area_m2,
  transitions.measured_aoi_area_m2
FROM `${dataset}.report_transitions` AS report
JOIN `${dataset}.transitions_current` AS transitions
  ON transitions.aoi_id = report.aoi_id AND transitions.aoi_version = report.aoi_version
  AND transitions.from_year = report.from_year AND transitions.to_year = report.to_year
ORDER BY report.aoi_id, report.aoi_version, report.to_year, report.from_year, report.from_class_id, report.to_class_id
