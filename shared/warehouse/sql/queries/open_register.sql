-- The row of turns, where there is none. Two calls at once may add one each: whoever records after that updates every
-- row of turns that there is, and the oldest of them is among those that all update.
INSERT INTO `${dataset}.aoi_events` (webhook_id, event_type, event_time, recorded_at, turn, aoi_id, code_version)
SELECT '', 'register.turn', @recorded_at, @recorded_at, 0, '', @code_version
FROM (SELECT COUNTIF(event_type = 'register.turn') AS there FROM `${dataset}.aoi_events`)
WHERE there = 0
