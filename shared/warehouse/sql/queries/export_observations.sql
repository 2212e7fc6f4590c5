-- Nine rows for each current observation of a current AOI, for a CSV file.
SELECT
  o.aoi_id, o.aoi_version, o.overpass_id, o.acquired_at, class.class_id, class.class_name, class.label_area_m2,
  class.probability_area_m2, o.valid_area_m2, o.aoi_area_m2, o.measured_aoi_area_m2, o.coverage,
  ARRAY_TO_STRING(o.image_ids, ';') AS image_ids, o.source
FROM `${dataset}.observations_current` AS o
JOIN `${dataset}.aois` AS aois
  ON aois.aoi_id = o.aoi_id AND aois.aoi_version = o.aoi_version
CROSS JOIN UNNEST(o.classes) AS class
ORDER BY o.aoi_id, o.aoi_version, o.overpass_id, class.class_id
