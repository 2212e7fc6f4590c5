-- Of the listed images (an image across the antimeridian comes as two boxes), those that meet the box of an AOI and
-- are not in the log with the same ingestion time.
SELECT DISTINCT listed.image_id
FROM UNNEST(@boxes) AS listed
JOIN `${dataset}.aois` AS aois
  ON aois.west_deg <= listed.east_deg AND aois.east_deg >= listed.west_deg
  AND aois.south_deg <= listed.north_deg AND aois.north_deg >= listed.south_deg
LEFT JOIN `${dataset}.acquisitions` AS logged
  ON logged.image_id = listed.image_id AND logged.version_us = listed.version_us
  AND logged.acquired_date >= @since
WHERE logged.image_id IS NULL
ORDER BY image_id
