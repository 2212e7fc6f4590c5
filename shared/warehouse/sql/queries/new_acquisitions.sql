-- Of the listed images (an image across the antimeridian comes as two boxes), those that meet the box of an AOI which
-- was not measured with them since they were ingested, and that are not in the log with the same ingestion time.
SELECT listed.image_id
FROM UNNEST(@boxes) AS listed
JOIN `${dataset}.aois` AS aois
  ON aois.west_deg <= listed.east_deg AND aois.east_deg >= listed.west_deg
  AND aois.south_deg <= listed.north_deg AND aois.north_deg >= listed.south_deg
LEFT JOIN `${dataset}.acquisitions` AS logged
  ON logged.image_id = listed.image_id AND logged.version_us = listed.version_us
  AND logged.acquired_date >= @since
LEFT JOIN (
  SELECT observations.aoi_id, observations.aoi_version, observations.processed_at, used_id AS image_id
  FROM `${dataset}.observations` AS observations
  CROSS JOIN UNNEST(observations.image_ids) AS used_id
  WHERE observations.acquired_date >= @since
) AS measured
  ON measured.aoi_id = aois.aoi_id AND measured.aoi_version = aois.aoi_version
  AND measured.image_id = listed.image_id
  AND measured.processed_at >= TIMESTAMP_MICROS(listed.version_us)
WHERE logged.image_id IS NULL AND measured.image_id IS NULL
GROUP BY listed.image_id
ORDER BY listed.image_id
