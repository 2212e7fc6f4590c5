-- The one-degree cells that current AOIs touch.
SELECT DISTINCT cell
FROM `${dataset}.aois`
CROSS JOIN UNNEST(cells) AS cell
ORDER BY cell
