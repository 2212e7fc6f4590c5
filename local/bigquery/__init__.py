"""The embedded BigQuery: a well-kept emulator, and a front before it that refuses what the service refuses."""
