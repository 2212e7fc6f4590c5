-- The newest dead letters.
SELECT recorded_at, topic, function, reason
FROM `${dataset}.dead_letters`
ORDER BY recorded_at DESC
LIMIT 100
