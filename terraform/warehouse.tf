locals {
  warehouse_root = "${local.source_root}/shared/warehouse"
  placeholders   = { dataset = "${var.project}.${var.dataset}", coverage_floor = local.coverage_floor, network_in_summaries = local.network_in_summaries }

  views = { for name in local.warehouse.views : name => templatefile("${local.warehouse_root}/sql/views/${name}.sql", local.placeholders) }

  # BigQuery checks a view when it is made, so views on views come after those they read.
  view_reads    = { for name, text in local.views : name => setintersection(toset(local.warehouse.views), [for match in regexall("${var.dataset}\\.(\\w+)", text) : match[0]]) }
  base_views    = { for name, text in local.views : name => text if length(local.view_reads[name]) == 0 }
  derived_views = { for name, text in local.views : name => text if length(local.view_reads[name]) > 0 }
}

resource "google_bigquery_dataset" "landcover" {
  project     = local.project
  dataset_id  = var.dataset
  location    = var.warehouse_location
  description = "Land-cover areas of registered places, from Dynamic World."
  labels      = local.labels

  dynamic "default_encryption_configuration" {
    for_each = var.kms_key == null ? [] : [local.kms_key]
    content {
      kms_key_name = default_encryption_configuration.value
    }
  }
}

resource "google_bigquery_table" "table" {
  for_each = local.warehouse.tables

  project             = local.project
  dataset_id          = google_bigquery_dataset.landcover.dataset_id
  table_id            = each.key
  description         = each.value.description
  schema              = file("${local.warehouse_root}/schemas/${each.key}.json")
  clustering          = each.value.clustering
  labels              = local.labels
  deletion_protection = var.deletion_protection

  dynamic "time_partitioning" {
    for_each = each.value.partition_field == null || each.value.partition_type == "RANGE" ? [] : [each.value]
    content {
      type          = time_partitioning.value.partition_type
      field         = time_partitioning.value.partition_field
      expiration_ms = try(time_partitioning.value.expiration_days * 86400000, null)
    }
  }

  # Months as numbers: streaming refuses rows of a date partition that is years old, and history is.
  dynamic "range_partitioning" {
    for_each = each.value.partition_type == "RANGE" ? [each.value] : []
    content {
      field = range_partitioning.value.partition_field
      range {
        start    = local.warehouse.month_range.start
        end      = local.warehouse.month_range.end
        interval = local.warehouse.month_range.interval
      }
    }
  }
}

resource "google_bigquery_table" "base_view" {
  # checkov:skip=CKV_GCP_121: a view holds nothing; protecting it would stop a change of its text that needs it made anew
  for_each = local.base_views

  project             = local.project
  dataset_id          = google_bigquery_dataset.landcover.dataset_id
  table_id            = each.key
  deletion_protection = false

  view {
    query          = each.value
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.table]
}

resource "google_bigquery_table" "derived_view" {
  # checkov:skip=CKV_GCP_121: a view holds nothing; protecting it would stop a change of its text that needs it made anew
  for_each = local.derived_views

  project             = local.project
  dataset_id          = google_bigquery_dataset.landcover.dataset_id
  table_id            = each.key
  deletion_protection = false

  view {
    query          = each.value
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.table, google_bigquery_table.base_view]
}

resource "google_bigquery_data_transfer_config" "summary" {
  for_each = { for query in local.schedules.scheduled_queries : query.name => query.schedule }

  project              = local.project
  display_name         = "${var.prefix} ${each.key}"
  data_source_id       = "scheduled_query"
  location             = var.warehouse_location
  schedule             = each.value
  service_account_name = local.emails["summaries"]

  params = {
    query = templatefile("${local.warehouse_root}/sql/scheduled/${each.key}.sql", local.placeholders)
  }

  # the first run begins at once
  depends_on = [time_sleep.rights]
}
