-- Which current AOIs the scenes of one day passed over, by overpass: first by bounding box, then exactly (a scene across
-- the antimeridian comes as two boxes). Leaves out what is recorded already. A negative cloud share is an unknown one.
WITH seen AS (
  SELECT
    aois.aoi_id, aois.aoi_version, listed.overpass_id,
    COUNT(DISTINCT listed.scene_id) AS scene_count,
    MIN(IF(listed.cloud_percent < 0, NULL, listed.cloud_percent)) AS least_cloud_percent
  FROM UNNEST(@scenes) AS listed
  JOIN `${dataset}.aois` AS aois
    ON aois.west_deg <= listed.east_deg AND aois.east_deg >= listed.west_deg
    AND aois.south_deg <= listed.north_deg AND aois.north_deg >= listed.south_deg
  WHERE ST_INTERSECTS(ST_GEOGFROMGEOJSON(aois.geometry), ST_GEOGFROMGEOJSON(listed.footprint))
  GROUP BY aois.aoi_id, aois.aoi_version, listed.overpass_id
)
SELECT seen.aoi_id, seen.aoi_version, seen.overpass_id, seen.scene_count, seen.least_cloud_percent
FROM seen
LEFT JOIN `${dataset}.passes_current` AS known
  ON known.aoi_id = seen.aoi_id AND known.aoi_version = seen.aoi_version AND known.overpass_id = seen.overpass_id
  AND known.acquired_date = @day
WHERE known.overpass_id IS NULL
  OR known.scene_count != seen.scene_count
  OR IFNULL(known.least_cloud_percent, -1) != IFNULL(seen.least_cloud_percent, -1)
ORDER BY seen.aoi_id, seen.overpass_id
