-- Dead letters that were not replayed, or failed again since, oldest first; an empty topic or reason takes all.
SELECT
  letters.dead_letter_id, letters.recorded_at, letters.topic, letters.message_id, letters.function, letters.reason,
  letters.body, letters.attributes
FROM `${dataset}.dead_letters` AS letters
LEFT JOIN (
  SELECT dead_letter_id, MAX(replayed_at) AS replayed_at
  FROM `${dataset}.dead_letter_replays`
  GROUP BY dead_letter_id
) AS replays
  ON replays.dead_letter_id = letters.dead_letter_id
WHERE (replays.replayed_at IS NULL OR letters.recorded_at > replays.replayed_at)
  AND letters.recorded_at >= @since
  AND (@topic = '' OR letters.topic = @topic)
  AND STRPOS(letters.reason, @reason) > 0
QUALIFY ROW_NUMBER() OVER (PARTITION BY letters.dead_letter_id ORDER BY letters.recorded_at DESC) = 1
ORDER BY letters.recorded_at
LIMIT 10000
