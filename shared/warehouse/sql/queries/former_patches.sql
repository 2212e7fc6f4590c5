-- The patches that are known of some AOIs, by their last rows.
SELECT changes.aoi_id, changes.aoi_version, changes.year, patch.patch_id, patch.outline
FROM `${dataset}.changes_current` AS changes, UNNEST(changes.patches) AS patch
WHERE changes.aoi_id IN UNNEST(@aoi_ids)
ORDER BY changes.aoi_id, changes.aoi_version, changes.year, patch.patch_id
