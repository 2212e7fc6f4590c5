-- Annual summaries: months weigh equally, so that clear summers do not drown cloudy winters. A month that was not seen is
-- taken as it was in the four years before, moved by what the months seen in both differ by, and counted; unseen months are
-- mostly of one season, and leaving them out would lean to the others.
-- Rebuilds the years whose rows were made of other months or another composite than those of now, up to the run time;
-- a second run changes nothing. Runs after monthly_summary, and looks back by the same rule, in whole years, to its own
-- last run less a day, which is longer than the two are apart.
DECLARE since TIMESTAMP;
DECLARE built_from DATE;
DECLARE usual_from DATE;
SET since = (
  SELECT TIMESTAMP_SUB(MAX(run_time), INTERVAL 1 DAY)
  FROM `${dataset}.annual_summary`
  WHERE year >= EXTRACT(YEAR FROM @run_time) - 1 AND months_filled IS NOT NULL
);
SET built_from = (
  SELECT IF(
    since IS NULL,
    DATE '2015-01-01',
    DATE_TRUNC(LEAST(
      DATE_SUB(EXTRACT(DATE FROM @run_time), INTERVAL 1 MONTH),
      IFNULL((
        SELECT MIN(month) FROM `${dataset}.touches`
        WHERE touched_date >= EXTRACT(DATE FROM since) AND touched_at >= since
      ), EXTRACT(DATE FROM @run_time)),
      IFNULL((
        SELECT MIN(backfill_start) FROM `${dataset}.aoi_events` WHERE recorded_at >= since
      ), EXTRACT(DATE FROM @run_time))
    ), YEAR)
  )
);
SET usual_from = DATE_SUB(built_from, INTERVAL 4 YEAR);
MERGE `${dataset}.annual_summary` AS target
USING (
  WITH run AS (
    SELECT @run_time AS run_time
  ),
  history AS (
    SELECT
      summary.* EXCEPT (run_time),
      EXTRACT(YEAR FROM summary.month) AS year,
      AVG(summary.mean_share) OVER (
        PARTITION BY summary.aoi_id, summary.aoi_version, summary.class_id, EXTRACT(MONTH FROM summary.month)
        ORDER BY EXTRACT(YEAR FROM summary.month) RANGE BETWEEN 4 PRECEDING AND 1 PRECEDING
      ) AS usual_share
    FROM `${dataset}.monthly_summary` AS summary
    CROSS JOIN run
    WHERE TIMESTAMP(summary.month) < run.run_time AND summary.month >= usual_from
  ),
  moved AS (
    SELECT
      history.*,
      usual_share + AVG(mean_share - usual_share) OVER (PARTITION BY aoi_id, aoi_version, class_id, year) AS moved_share
    FROM history
    WHERE month >= built_from
  ),
  above_nothing AS (
    SELECT moved.*, CASE WHEN moved_share < 0 THEN 0 ELSE moved_share END AS likely_share
    FROM moved
  ),
  monthly AS (
    SELECT
      above_nothing.*,
      IFNULL(mean_share, likely_share / SUM(likely_share) OVER (PARTITION BY aoi_id, aoi_version, month)) AS whole_share
    FROM above_nothing
  ),
  composited AS (
    SELECT
      aoi_id, aoi_version, EXTRACT(YEAR FROM period_start) AS year, valid_area_m2, aoi_area_m2, coverage, classes,
      processed_at
    FROM `${dataset}.composites_current`
    WHERE period = 'year' AND period_start >= built_from AND period_month >= EXTRACT(YEAR FROM built_from) * 100 + EXTRACT(MONTH FROM built_from)
  ),
  years AS (
    SELECT
      monthly.aoi_id, monthly.aoi_version, monthly.year, monthly.class_id, monthly.class_name,
      COUNT(monthly.mean_share) AS months_observed,
      COUNT(monthly.whole_share) - COUNT(monthly.mean_share) AS months_filled,
      SUM(monthly.observation_count) AS observation_count,
      SUM(monthly.skipped_count) AS skipped_count,
      SUM(IFNULL(monthly.network_count, 0)) AS network_count,
      AVG(monthly.mean_coverage) AS mean_coverage,
      POW(SUM(monthly.observation_count * monthly.mean_coverage), 2) / SUM(
        POW(monthly.observation_count * monthly.mean_coverage, 2) / NULLIF(monthly.effective_views, 0)
      ) AS effective_views,
      MAX(monthly.aoi_area_m2) AS aoi_area_m2,
      MAX(monthly.seen_share) AS seen_share,
      AVG(monthly.whole_share) AS mean_share,
      AVG(monthly.mean_seen_share) AS mean_seen_share,
      AVG(monthly.mean_seen_area_m2) AS mean_seen_area_m2,
      MIN(monthly.min_share) AS min_share,
      MAX(monthly.max_share) AS max_share,
      AVG(monthly.probability_share) AS probability_share,
      MAX(monthly.source_changed_at) AS changed_at
    FROM monthly
    GROUP BY monthly.aoi_id, monthly.aoi_version, monthly.year, monthly.class_id, monthly.class_name
  ),
  composite_shares AS (
    SELECT
      composited.aoi_id, composited.aoi_version, composited.year, class.class_id,
      IF(composited.valid_area_m2 > 0, class.label_area_m2 / composited.valid_area_m2, NULL) AS composite_share,
      IF(composited.valid_area_m2 > 0, class.label_area_m2, NULL) AS composite_area_m2,
      IF(composited.valid_area_m2 > 0, class.settled_area_m2 / composited.valid_area_m2, NULL) AS settled_share,
      composited.coverage, composited.aoi_area_m2, composited.processed_at
    FROM composited CROSS JOIN UNNEST(composited.classes) AS class
  ),
  digests AS (
    SELECT aoi_id, aoi_version, year, BIT_XOR(source_digest) AS source_digest
    FROM (
      -- the months of the year, and those of the years before that its unseen months are taken from
      SELECT
        aoi_id, aoi_version, year + ahead AS year,
        FARM_FINGERPRINT(CONCAT(
          FORMAT_DATE('%Y-%m', month), ' ', CAST(ahead AS STRING), ' ', IFNULL(CAST(source_digest AS STRING), '')
        )) AS source_digest
      FROM history CROSS JOIN UNNEST([0, 1, 2, 3, 4]) AS ahead
      WHERE class_id = 0
      UNION ALL
      SELECT
        aoi_id, aoi_version, year,
        FARM_FINGERPRINT(CONCAT(CAST(year AS STRING), ' ', CAST(UNIX_MICROS(processed_at) AS STRING))) AS source_digest
      FROM composited
    )
    GROUP BY aoi_id, aoi_version, year
  ),
  joined AS (
    SELECT
      years.aoi_id, years.aoi_version, years.year, years.class_id, years.class_name, years.months_observed,
      years.months_filled, years.observation_count, years.skipped_count, years.network_count, years.mean_coverage,
      years.effective_views, years.mean_share, years.mean_share * years.aoi_area_m2 AS mean_area_m2,
      years.mean_seen_share, years.mean_seen_area_m2, years.min_share, years.max_share, years.probability_share,
      composite_shares.composite_share, composite_shares.composite_area_m2,
      composite_shares.settled_share, composite_shares.settled_share * composite_shares.aoi_area_m2 AS settled_area_m2,
      GREATEST(IFNULL(years.seen_share, 0), IFNULL(composite_shares.coverage, 0)) AS seen_share,
      IF(
        years.changed_at IS NULL OR composite_shares.processed_at > years.changed_at,
        composite_shares.processed_at, years.changed_at
      ) AS source_changed_at,
      digests.source_digest
    FROM years
    LEFT JOIN digests
      ON digests.aoi_id = years.aoi_id AND digests.aoi_version = years.aoi_version AND digests.year = years.year
    LEFT JOIN composite_shares
      ON composite_shares.aoi_id = years.aoi_id AND composite_shares.aoi_version = years.aoi_version
      AND composite_shares.year = years.year AND composite_shares.class_id = years.class_id
  )
  SELECT joined.*, run.run_time
  FROM joined
  CROSS JOIN run
  LEFT JOIN `${dataset}.annual_summary` AS written
    ON written.aoi_id = joined.aoi_id AND written.aoi_version = joined.aoi_version
    AND written.year = joined.year AND written.class_id = joined.class_id
  WHERE written.year IS NULL OR written.months_filled IS NULL
    OR IFNULL(written.source_digest, 0) != IFNULL(joined.source_digest, 0)
) AS source
ON target.aoi_id = source.aoi_id
  AND target.aoi_version = source.aoi_version
  AND target.year = source.year
  AND target.class_id = source.class_id
WHEN MATCHED THEN UPDATE SET
  months_observed = source.months_observed,
  months_filled = source.months_filled,
  observation_count = source.observation_count,
  skipped_count = source.skipped_count,
  network_count = source.network_count,
  mean_coverage = source.mean_coverage,
  effective_views = source.effective_views,
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
  seen_share = source.seen_share,
  source_changed_at = source.source_changed_at,
  source_digest = source.source_digest,
  run_time = source.run_time
WHEN NOT MATCHED THEN INSERT (
  aoi_id, aoi_version, year, class_id, class_name, months_observed, months_filled, observation_count, skipped_count,
  network_count, mean_coverage, effective_views, mean_share, mean_area_m2, mean_seen_share, mean_seen_area_m2, min_share,
  max_share, probability_share, composite_share, composite_area_m2, settled_share, settled_area_m2, seen_share,
  source_changed_at, source_digest, run_time
) VALUES (
  source.aoi_id, source.aoi_version, source.year, source.class_id, source.class_name, source.months_observed,
  source.months_filled, source.observation_count, source.skipped_count, source.network_count, source.mean_coverage,
  source.effective_views, source.mean_share, source.mean_area_m2, source.mean_seen_share, source.mean_seen_area_m2,
  source.min_share, source.max_share, source.probability_share, source.composite_share, source.composite_area_m2,
  source.settled_share, source.settled_area_m2, source.seen_share, source.source_changed_at, source.source_digest,
  source.run_time
)
