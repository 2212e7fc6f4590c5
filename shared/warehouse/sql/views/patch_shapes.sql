-- The outline of each patch of changed ground as a geography, for maps and joins with other places: by the patch's id.
SELECT changes.aoi_id, changes.aoi_version, changes.year, patch.patch_id, patch.state, ST_GEOGFROMGEOJSON(patch.outline) AS outline
FROM `${dataset}.changes_current` AS changes
CROSS JOIN UNNEST(changes.patches) AS patch
