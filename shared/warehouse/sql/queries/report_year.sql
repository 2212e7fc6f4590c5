-- The months of one AOI and year, for a report.
SELECT *
FROM `${dataset}.report_monthly`
WHERE aoi_id = @aoi_id AND month BETWEEN DATE(@year, 1, 1) AND DATE(@year, 12, 31)
ORDER BY month, class_id
