-- Of what images the current observations of some AOIs are made, over a span of days.
SELECT aoi_id, aoi_version, overpass_id, image_ids, image_versions
FROM `${dataset}.observations_current`
WHERE aoi_id IN UNNEST(@aoi_ids) AND acquired_date BETWEEN @first_day AND @last_day
