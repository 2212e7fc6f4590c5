"""The BigQuery warehouse: table schemas, views, scheduled and ad-hoc SQL as files, and a thin client."""
