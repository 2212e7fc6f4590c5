-- Flagged changes of recent months that no event has told of.
SELECT
  changes.aoi_id, changes.aoi_version, changes.aoi_label, changes.month, changes.class_id, changes.class_name,
  changes.composite_share, changes.mean_coverage, changes.baseline_years, changes.baseline_share,
  changes.change_share, changes.change_area_ha, changes.expected_change_area_ha
FROM `${dataset}.report_change` AS changes
LEFT JOIN `${dataset}.change_alerts` AS alerts
  ON alerts.aoi_id = changes.aoi_id AND alerts.aoi_version = changes.aoi_version
  AND alerts.month = changes.month AND alerts.class_id = changes.class_id
WHERE changes.flagged AND changes.month >= @since AND alerts.event_id IS NULL
ORDER BY changes.aoi_id, changes.month, changes.class_id
