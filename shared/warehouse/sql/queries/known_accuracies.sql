-- User's accuracy of each class by the newest estimate of an AOI version: what the next sample is planned with.
SELECT class_name, users_accuracy
FROM `${dataset}.area_estimates`
WHERE aoi_id = @aoi_id AND aoi_version = @aoi_version AND quantity = 'class' AND users_accuracy IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY class_id ORDER BY estimated_at DESC) = 1
ORDER BY class_name
