"""What BigQuery refuses and the emulator would take, each with its source; times are shortened, never switched off."""

# "You can only stream to date range within 1825 days in the past and 366 days in the future relative to the current
# date" (the service's message; cloud.google.com/bigquery/docs/streaming-data-into-bigquery, "Stream to partitioned
# tables", mozilla/gcp-ingestion#2721). Other pages say ten years: the pipeline depends on neither.
OLDEST_STREAMED_DAYS = 1825
NEWEST_STREAMED_DAYS = 366

# Streamed rows are available for queries "within a few seconds" (same page); a test of the client library that read at
# once was flaky for it (googleapis/python-bigquery#733). A laptop waits a tenth of that.
VISIBLE_AFTER_SECONDS = 0.4

# After a schema change, streaming may answer "no such field" for some minutes (same page, "Metadata availability").
SCHEMA_KNOWN_AFTER_SECONDS = 0.5

# A request to insertAll, or with a query, has at most 10 MB (cloud.google.com/bigquery/quotas).
MOST_REQUEST_BYTES = 10_000_000
MOST_ROWS_PER_INSERT = 50_000

# Statements that change one partition at the same moment conflict, and the loser is run again "up to three times"
# before it fails (cloud.google.com/bigquery/docs/data-manipulation-language, "DML statement conflicts"; the message is
# that of confluentinc/kafka-connect-bigquery#279). What only inserts conflicts with nothing.
RERUNS_OF_A_STATEMENT = 3
