# What each client reads: a dataset of its own, with the report views of its own areas by its own ids. The views are
# authorised to read the deployment's dataset; whoever reads them has no right on it.

locals {
  report_views    = [for name in local.warehouse.views : name if startswith(name, "report_")]
  told_clients    = [for name, client in var.clients : name if client.event_url != null]
  client_datasets = { for name in keys(var.clients) : name => "${var.dataset}_${replace(name, "-", "_")}" }
  client_views    = merge([for client in keys(var.clients) : { for view in local.report_views : "${client} ${view}" => { client = client, view = view } }]...)
  client_readers  = merge([for client, about in var.clients : { for member in about.readers : "${client} ${member}" => { client = client, member = member } }]...)

  # What the functions are told of clients: all but who reads, and the secrets.
  client_settings = length(var.clients) == 0 ? null : jsonencode({
    for name, client in var.clients : name => {
      for key in ["scopes", "max_registered_aois", "max_registered_km2", "event_url"] : key => client[key] if client[key] != null
    }
  })
}

resource "google_bigquery_dataset" "client" {
  for_each = local.client_datasets

  project     = local.project
  dataset_id  = each.value
  location    = var.warehouse_location
  description = "Land-cover areas of the places of ${each.key}: views, no rows."
  labels      = local.labels

  dynamic "default_encryption_configuration" {
    for_each = var.kms_key == null ? [] : [local.kms_key]
    content {
      kms_key_name = default_encryption_configuration.value
    }
  }
}

resource "google_bigquery_table" "client_view" {
  # checkov:skip=CKV_GCP_121: a view holds nothing; protecting it would stop a change of its text that needs it made anew
  for_each = local.client_views

  project             = local.project
  dataset_id          = google_bigquery_dataset.client[each.value.client].dataset_id
  table_id            = each.value.view
  deletion_protection = false

  view {
    query          = templatefile("${local.warehouse_root}/sql/clients/report.sql", { dataset = "${var.project}.${var.dataset}", client = each.value.client, view = each.value.view })
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.derived_view]
}

resource "google_bigquery_dataset_access" "client_view" {
  for_each = local.client_views

  project    = local.project
  dataset_id = google_bigquery_dataset.landcover.dataset_id

  view {
    project_id = var.project
    dataset_id = google_bigquery_table.client_view[each.key].dataset_id
    table_id   = google_bigquery_table.client_view[each.key].table_id
  }
}

# The deployment's own views stand between: each reads its dataset on behalf of who reads a client's.
resource "google_bigquery_dataset_access" "own_view" {
  for_each = length(var.clients) == 0 ? {} : merge(google_bigquery_table.base_view, google_bigquery_table.derived_view)

  project    = local.project
  dataset_id = google_bigquery_dataset.landcover.dataset_id

  view {
    project_id = var.project
    dataset_id = each.value.dataset_id
    table_id   = each.value.table_id
  }
}

resource "google_bigquery_dataset_iam_member" "client_reader" {
  for_each = local.client_readers

  project    = local.project
  dataset_id = google_bigquery_dataset.client[each.value.client].dataset_id
  role       = "roles/bigquery.dataViewer"
  member     = each.value.member
}
