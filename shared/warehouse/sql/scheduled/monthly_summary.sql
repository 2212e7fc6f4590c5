-- Monthly summaries: nine rows for each AOI version and month, from the first day of interest to the run time.
-- Rebuilds the months whose rows were made of other observations or another composite than those that are current now,
-- whichever was listed or arrived when, and adds months that are missing; a second run changes nothing. Months without
-- a usable view have null shares and count 0. A mean share is that of each pixel's views, ground that the month did not
-- see counting as it was seen last: cloud that leans to a class takes nothing from it. What was merely seen has names of
-- its own.
-- Looks no further back than the earliest month that was touched, or that a new AOI wants, since the last run that wrote
-- recent months, less an hour, in which rows that were touched but did not show yet have come (all of history when there
-- is no such run, or only of a version that wrote no effective_views, whose rows are rebuilt): a new AOI or a backfill is
-- read once. A constant for the MERGE, so that only those partitions are read.
DECLARE since TIMESTAMP;
DECLARE built_from DATE;
SET since = (
  SELECT TIMESTAMP_SUB(MAX(run_time), INTERVAL 1 HOUR)
  FROM `${dataset}.monthly_summary`
  WHERE month >= DATE_TRUNC(DATE_SUB(EXTRACT(DATE FROM @run_time), INTERVAL 1 MONTH), MONTH)
    AND effective_views IS NOT NULL
);
SET built_from = (
  SELECT IF(
    since IS NULL,
    DATE '2015-01-01',
    DATE_TRUNC(LEAST(
      DATE_SUB(EXTRACT(DATE FROM @run_time), INTERVAL 1 MONTH),
      IFNULL((
        SELECT MIN(month) FROM `${dataset}.touches`
        WHERE touched_date >= EXTRACT(DATE FROM since) AND touched_at >= since AND period = 'month'
      ), EXTRACT(DATE FROM @run_time)),
      IFNULL((
        SELECT MIN(backfill_start) FROM `${dataset}.aoi_events` WHERE recorded_at >= since
      ), EXTRACT(DATE FROM @run_time))
    ), MONTH)
  )
);
MERGE `${dataset}.monthly_summary` AS target
USING (
  WITH run AS (
    SELECT @run_time AS run_time
  ),
  horizon AS (
    SELECT DATE_TRUNC(EXTRACT(DATE FROM TIMESTAMP_SUB(run_time, INTERVAL 1 SECOND)), MONTH) AS last_month FROM run
  ),
  measured AS (
    SELECT
      aoi_id, aoi_version, DATE_TRUNC(acquired_date, MONTH) AS month, overpass_id, source = 'network' AS by_network,
      coverage >= ${coverage_floor} AND valid_area_m2 > 0 AS usable,
      coverage, valid_area_m2, aoi_area_m2, classes, processed_at
    FROM `${dataset}.observations_current`
    WHERE acquired_date >= built_from AND acquired_month >= EXTRACT(YEAR FROM built_from) * 100 + EXTRACT(MONTH FROM built_from)
  ),
  observed AS (
    -- the network's count where Dynamic World has fewer than two usable views of the month, or as it is set
    SELECT measured.*
    FROM measured
    LEFT JOIN (
      SELECT aoi_id, aoi_version, month, COUNTIF(usable) AS views
      FROM measured
      WHERE NOT by_network
      GROUP BY aoi_id, aoi_version, month
    ) AS published
      ON published.aoi_id = measured.aoi_id AND published.aoi_version = measured.aoi_version
      AND published.month = measured.month
    WHERE NOT measured.by_network
      OR '${network_in_summaries}' = 'all'
      OR ('${network_in_summaries}' = 'fill' AND IFNULL(published.views, 0) < 2)
  ),
  composited AS (
    SELECT
      aoi_id, aoi_version, period_start AS month, valid_area_m2, aoi_area_m2, filled_area_m2, coverage, classes,
      processed_at
    FROM `${dataset}.composites_current`
    WHERE period = 'month' AND period_start >= built_from AND period_month >= EXTRACT(YEAR FROM built_from) * 100 + EXTRACT(MONTH FROM built_from)
  ),
  changes AS (
    SELECT
      aoi_id, aoi_version, month,
      MAX(processed_at) AS changed_at,
      BIT_XOR(FARM_FINGERPRINT(CONCAT(source, ' ', CAST(UNIX_MICROS(processed_at) AS STRING)))) AS source_digest
    FROM (
      SELECT aoi_id, aoi_version, month, overpass_id AS source, processed_at FROM observed
      UNION ALL
      SELECT aoi_id, aoi_version, month, FORMAT_DATE('%Y-%m', month) AS source, processed_at FROM composited
    )
    GROUP BY aoi_id, aoi_version, month
  ),
  last_changes AS (
    SELECT aoi_id, aoi_version, MAX(month) AS last_month
    FROM changes
    GROUP BY aoi_id, aoi_version
  ),
  spans AS (
    -- a superseded version ends with its last observation, a current one goes on to the run time
    SELECT
      versions.aoi_id,
      versions.aoi_version,
      DATE_TRUNC(versions.backfill_start, MONTH) AS first_month,
      IF(versions.is_current, horizon.last_month, last_changes.last_month) AS last_month
    FROM `${dataset}.aoi_versions` AS versions
    CROSS JOIN horizon
    LEFT JOIN last_changes
      ON last_changes.aoi_id = versions.aoi_id AND last_changes.aoi_version = versions.aoi_version
  ),
  months AS (
    SELECT aoi_id, aoi_version, month
    FROM spans, UNNEST(GENERATE_DATE_ARRAY(GREATEST(first_month, built_from), last_month, INTERVAL 1 MONTH)) AS month
    WHERE last_month IS NOT NULL
    UNION DISTINCT
    SELECT aoi_id, aoi_version, month FROM changes
  ),
  written AS (
    SELECT
      aoi_id, aoi_version, month, MAX(source_digest) AS source_digest, COUNTIF(effective_views IS NULL) > 0 AS is_outdated
    FROM `${dataset}.monthly_summary`
    WHERE month >= built_from
    GROUP BY aoi_id, aoi_version, month
  ),
  touched AS (
    SELECT months.aoi_id, months.aoi_version, months.month, changes.changed_at, changes.source_digest
    FROM months
    LEFT JOIN changes
      ON changes.aoi_id = months.aoi_id AND changes.aoi_version = months.aoi_version
      AND changes.month = months.month
    LEFT JOIN written
      ON written.aoi_id = months.aoi_id AND written.aoi_version = months.aoi_version
      AND written.month = months.month
    WHERE written.month IS NULL OR written.is_outdated
      OR IFNULL(written.source_digest, 0) != IFNULL(changes.source_digest, 0)
  ),
  counts AS (
    SELECT
      aoi_id, aoi_version, month,
      COUNTIF(usable) AS observation_count,
      COUNTIF(NOT usable) AS skipped_count,
      COUNTIF(usable AND by_network) AS network_count,
      AVG(IF(usable, coverage, NULL)) AS mean_coverage,
      MAX(IF(usable, coverage, NULL)) AS most_coverage,
      -- Kish: so many views of equal coverage would say as much
      POW(SUM(IF(usable, coverage, 0)), 2) / NULLIF(SUM(IF(usable, coverage * coverage, 0)), 0) AS effective_views,
      SUM(IF(by_network, 0, valid_area_m2)) AS published_area_m2,
      SUM(IF(usable AND by_network, valid_area_m2, 0)) AS network_area_m2,
      MAX(aoi_area_m2) AS aoi_area_m2
    FROM observed
    GROUP BY aoi_id, aoi_version, month
  ),
  shares AS (
    SELECT
      observed.aoi_id, observed.aoi_version, observed.month, class.class_id,
      AVG(class.label_area_m2 / observed.valid_area_m2) AS mean_seen_share,
      AVG(class.label_area_m2) AS mean_seen_area_m2,
      -- a view of a part of the area says how that part is
      MIN(IF(observed.coverage >= 0.8, class.label_area_m2 / observed.valid_area_m2, NULL)) AS min_share,
      MAX(IF(observed.coverage >= 0.8, class.label_area_m2 / observed.valid_area_m2, NULL)) AS max_share,
      SUM(class.label_area_m2) / SUM(observed.valid_area_m2) AS pooled_share,
      SUM(IF(observed.by_network, class.label_area_m2, 0)) AS network_area_m2,
      AVG(class.probability_area_m2 / observed.valid_area_m2) AS probability_share
    FROM observed CROSS JOIN UNNEST(observed.classes) AS class
    WHERE observed.usable
    GROUP BY observed.aoi_id, observed.aoi_version, observed.month, class.class_id
  ),
  composite_shares AS (
    SELECT
      composited.aoi_id, composited.aoi_version, composited.month, class.class_id,
      IF(composited.valid_area_m2 > 0, class.label_area_m2 / composited.valid_area_m2, NULL) AS composite_share,
      IF(composited.valid_area_m2 > 0, class.label_area_m2, NULL) AS composite_area_m2,
      IF(
        composited.valid_area_m2 > 0, class.settled_area_m2 / (composited.valid_area_m2 + composited.filled_area_m2), NULL
      ) AS settled_share,
      IF(
        composited.valid_area_m2 > 0, class.mean_area_m2 / (composited.valid_area_m2 + composited.filled_area_m2), NULL
      ) AS mean_share,
      composited.filled_area_m2 / composited.aoi_area_m2 AS filled_share,
      composited.coverage
    FROM composited CROSS JOIN UNNEST(composited.classes) AS class
  ),
  means AS (
    -- the composite has no views of the network, whose shares of what they saw count by how much that was
    SELECT
      shares.aoi_id, shares.aoi_version, shares.month, shares.class_id,
      IF(
        composite_shares.mean_share IS NULL,
        shares.pooled_share,
        (counts.published_area_m2 * composite_shares.mean_share + shares.network_area_m2)
          / (counts.published_area_m2 + counts.network_area_m2)
      ) AS mean_share,
      shares.mean_seen_share, shares.mean_seen_area_m2, shares.min_share, shares.max_share, shares.probability_share,
      composite_shares.settled_share, composite_shares.filled_share,
      GREATEST(counts.most_coverage, IFNULL(composite_shares.coverage, 0)) AS seen_share
    FROM shares
    JOIN counts
      ON counts.aoi_id = shares.aoi_id AND counts.aoi_version = shares.aoi_version AND counts.month = shares.month
    LEFT JOIN composite_shares
      ON composite_shares.aoi_id = shares.aoi_id AND composite_shares.aoi_version = shares.aoi_version
      AND composite_shares.month = shares.month AND composite_shares.class_id = shares.class_id
  ),
  class_names AS (
    SELECT 0 AS class_id, 'water' AS class_name
    UNION ALL SELECT 1, 'trees'
    UNION ALL SELECT 2, 'grass'
    UNION ALL SELECT 3, 'flooded_vegetation'
    UNION ALL SELECT 4, 'crops'
    UNION ALL SELECT 5, 'shrub_and_scrub'
    UNION ALL SELECT 6, 'built'
    UNION ALL SELECT 7, 'bare'
    UNION ALL SELECT 8, 'snow_and_ice'
  )
  SELECT
    touched.aoi_id, touched.aoi_version, CAST(touched.month AS DATE) AS month, class_names.class_id, class_names.class_name,
    IFNULL(counts.observation_count, 0) AS observation_count,
    IFNULL(counts.skipped_count, 0) AS skipped_count,
    IFNULL(counts.network_count, 0) AS network_count,
    counts.mean_coverage,
    IFNULL(counts.effective_views, 0) AS effective_views,
    counts.aoi_area_m2,
    means.mean_share, means.mean_share * counts.aoi_area_m2 AS mean_area_m2,
    means.mean_seen_share, means.mean_seen_area_m2, means.min_share, means.max_share, means.probability_share,
    composite_shares.composite_share, composite_shares.composite_area_m2,
    means.settled_share, means.settled_share * counts.aoi_area_m2 AS settled_area_m2, means.filled_share, means.seen_share,
    touched.changed_at AS source_changed_at,
    touched.source_digest,
    run.run_time
  FROM touched
  CROSS JOIN run
  CROSS JOIN class_names
  LEFT JOIN counts
    ON counts.aoi_id = touched.aoi_id AND counts.aoi_version = touched.aoi_version AND counts.month = touched.month
  LEFT JOIN means
    ON means.aoi_id = touched.aoi_id AND means.aoi_version = touched.aoi_version
    AND means.month = touched.month AND means.class_id = class_names.class_id
  LEFT JOIN composite_shares
    ON composite_shares.aoi_id = touched.aoi_id AND composite_shares.aoi_version = touched.aoi_version
    AND composite_shares.month = touched.month AND composite_shares.class_id = class_names.class_id
) AS source
ON target.aoi_id = source.aoi_id
  AND target.aoi_version = source.aoi_version
  AND target.month = source.month
  AND target.class_id = source.class_id
  AND target.month >= built_from
WHEN MATCHED THEN UPDATE SET
  observation_count = source.observation_count,
  skipped_count = source.skipped_count,
  network_count = source.network_count,
  mean_coverage = source.mean_coverage,
  effective_views = source.effective_views,
  aoi_area_m2 = source.aoi_area_m2,
  mean_share = source.mean_share,
  mean_area_m2 = source.mean_area_m2,
  mean_seen_share = source.mean_seen_share,
  mean_seen_area_m2 = source.mean_seen_area_m2,
  min_share = source.min_share,
  max_share = source.max_share,
  probability_share = source.probability_share,
  composite_share = source.composite_share,
  composite_area_m2 = source.composite_area_m2,
  settled_share = source.settled_share,
  settled_area_m2 = source.settled_area_m2,
  filled_share = source.filled_share,
  seen_share = source.seen_share,
  source_changed_at = source.source_changed_at,
  source_digest = source.source_digest,
  run_time = source.run_time
WHEN NOT MATCHED THEN INSERT (
  aoi_id, aoi_version, month, class_id, class_name, observation_count, skipped_count, network_count, mean_coverage,
  effective_views, aoi_area_m2, mean_share, mean_area_m2, mean_seen_share, mean_seen_area_m2, min_share, max_share,
  probability_share, composite_share, composite_area_m2, settled_share, settled_area_m2, filled_share, seen_share,
  source_changed_at, source_digest, run_time
) VALUES (
  source.aoi_id, source.aoi_version, source.month, source.class_id, source.class_name, source.observation_count,
  source.skipped_count, source.network_count, source.mean_coverage, source.effective_views, source.aoi_area_m2,
  source.mean_share, source.mean_area_m2, source.mean_seen_share, source.mean_seen_area_m2, source.min_share,
  source.max_share, source.probability_share, source.composite_share, source.composite_area_m2, source.settled_share,
  source.settled_area_m2, source.filled_share, source.seen_share, source.source_changed_at, source.source_digest,
  source.run_time
)
