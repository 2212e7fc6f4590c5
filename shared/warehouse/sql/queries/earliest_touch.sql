-- The earliest month whose observations changed since a day; no row's value when none did.
SELECT MIN(month) AS month
FROM `${dataset}.touches`
WHERE touched_date >= @since
