-- Of what images the current observations of some AOIs are made, over a span of days.
SELECT aoi_id, aoi_version, overpass_id, image_ids, image_versions, source
FROM `${dataset}.observations_current`
WHERE aoi_id IN UNNEST(@aoi_ids) AND acquired_date BETWEEN @first_day AND @last_day
  AND acquired_month BETWEEN EXTRACT(YEAR FROM @first_day) * 100 + EXTRACT(MONTH FROM @first_day)
    AND EXTRACT(YEAR FROM @last_day) * 100 + EXTRACT(MONTH FROM @last_day)
