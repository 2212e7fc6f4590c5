-- All years of one AOI, for a report.
SELECT *
FROM `${dataset}.report_annual`
WHERE aoi_id = @aoi_id
ORDER BY year, class_id
