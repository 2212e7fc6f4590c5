-- Of the AOIs of a call, those versions whose history is to be asked for: they are current, and it was not asked for from
-- as early a day since they last became so (another geometry or a deletion came between, by the order of recording).
-- ``turn`` is how far the register had come with the AOI: note it with the history.
WITH called AS (
  SELECT aoi_id, aoi_version, MIN(backfill_start) AS backfill_start
  FROM `${dataset}.aoi_events`
  WHERE webhook_id = @webhook_id AND event_type = 'aoi.registered'
  GROUP BY aoi_id, aoi_version
),
passed AS (
  SELECT
    called.aoi_id,
    MAX(IFNULL(events.turn, 0)) AS turn,
    MAX(IF(events.event_type = 'aoi.registered' AND events.aoi_version = called.aoi_version, 0, IFNULL(events.turn, 0)))
      AS interrupted
  FROM called
  JOIN `${dataset}.aoi_events` AS events
    ON events.aoi_id = called.aoi_id
  GROUP BY called.aoi_id
),
asked AS (
  SELECT called.aoi_id
  FROM called
  JOIN passed
    ON passed.aoi_id = called.aoi_id
  JOIN `${dataset}.histories` AS histories
    ON histories.aoi_id = called.aoi_id AND histories.aoi_version = called.aoi_version
    AND histories.backfill_start <= called.backfill_start AND histories.turn >= passed.interrupted
  GROUP BY called.aoi_id
)
SELECT aois.aoi_id, aois.aoi_version, called.backfill_start, aois.south_deg, aois.west_deg, passed.turn
FROM called
JOIN `${dataset}.aois` AS aois
  ON aois.aoi_id = called.aoi_id AND aois.aoi_version = called.aoi_version
JOIN passed
  ON passed.aoi_id = called.aoi_id
LEFT JOIN asked
  ON asked.aoi_id = called.aoi_id
WHERE asked.aoi_id IS NULL
ORDER BY aois.aoi_id
