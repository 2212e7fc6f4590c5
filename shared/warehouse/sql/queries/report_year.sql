-- The months of one AOI and year, for a report.
SELECT *
FROM `${dataset}.report_monthly`
WHERE aoi_id = @aoi_id AND EXTRACT(YEAR FROM month) = @year
ORDER BY month, class_id
