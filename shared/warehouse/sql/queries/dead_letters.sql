-- Dead letters not yet replayed, oldest first; an empty topic or reason takes all.
SELECT
  letters.dead_letter_id, letters.recorded_at, letters.topic, letters.message_id, letters.function, letters.reason,
  letters.body, letters.attributes
FROM `${dataset}.dead_letters` AS letters
LEFT JOIN `${dataset}.dead_letter_replays` AS replays
  ON replays.dead_letter_id = letters.dead_letter_id
WHERE replays.dead_letter_id IS NULL
  AND letters.recorded_at >= @since
  AND (@topic = '' OR letters.topic = @topic)
  AND STRPOS(letters.reason, @reason) > 0
ORDER BY letters.recorded_at
LIMIT 10000
