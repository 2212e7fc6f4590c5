-- What is known of one AOI version since a day: its overpasses, how much each saw, and from which images.
SELECT overpass_id, coverage, image_ids, image_versions, source
FROM `${dataset}.observations_current`
WHERE aoi_id = @aoi_id AND aoi_version = @aoi_version AND acquired_date >= @since
  AND acquired_month >= EXTRACT(YEAR FROM @since) * 100 + EXTRACT(MONTH FROM @since)
