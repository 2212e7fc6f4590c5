-- One AOI's year, for a report.
SELECT *
FROM `${dataset}.report_annual`
WHERE aoi_id = @aoi_id AND year = @year
ORDER BY class_id
