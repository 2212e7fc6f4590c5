# One account a service, with what services.json says that its code uses and nothing else. Tests compare both ways.

locals {
  account_purposes = merge(
    { for name in keys(local.services) : name => "landcover ${name}" },
    {
      build     = "landcover: builds the functions"
      push      = "landcover: pushes messages to the functions"
      summaries = "landcover: scheduled queries"
    },
  )

  # Made of what is known before an account is: plans and tests show who gets what. Each still waits for its account.
  emails   = { for name, account in google_service_account.account : name => "${account.account_id}@${account.project}.iam.gserviceaccount.com" }
  members  = { for name, email in local.emails : name => "serviceAccount:${email}" }
  accounts = { for name, email in local.emails : name => "projects/${var.project}/serviceAccounts/${email}" }
}

resource "google_service_account" "account" {
  for_each = local.account_purposes

  project      = var.project
  account_id   = "landcover-${each.key}"
  display_name = each.value
}

# Publishing

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = merge([for name, service in local.services : { for topic in service.publishes : "${name} ${topic}" => { service = name, topic = topic } }]...)

  topic  = google_pubsub_topic.topic[each.value.topic].name
  role   = "roles/pubsub.publisher"
  member = local.members[each.value.service]
}

# BigQuery: jobs in the project; reading and appending table by table

resource "google_project_iam_custom_role" "appender" {
  role_id     = "landcoverAppender"
  title       = "landcover appender"
  description = "Adds rows to a table; reading it is another role."
  permissions = ["bigquery.tables.get", "bigquery.tables.updateData"]
}

resource "google_project_iam_member" "jobs" {
  for_each = { for name, service in local.services : name => service if length(service.reads) > 0 }

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = local.members[each.key]
}

resource "google_bigquery_table_iam_member" "read" {
  for_each = merge([for name, service in local.services : { for table in service.reads : "${name} ${table}" => { service = name, table = table } }]...)

  dataset_id = google_bigquery_dataset.landcover.dataset_id
  table_id   = each.value.table
  role       = "roles/bigquery.dataViewer"
  member     = local.members[each.value.service]

  depends_on = [google_bigquery_table.table, google_bigquery_table.base_view, google_bigquery_table.derived_view]
}

resource "google_bigquery_table_iam_member" "append" {
  for_each = merge([for name, service in local.services : { for table in service.appends : "${name} ${table}" => { service = name, table = table } }]...)

  dataset_id = google_bigquery_dataset.landcover.dataset_id
  table_id   = each.value.table
  role       = google_project_iam_custom_role.appender.name
  member     = local.members[each.value.service]

  depends_on = [google_bigquery_table.table]
}

# Earth Engine has no narrower place than the project

resource "google_project_iam_member" "earth_engine" {
  for_each = { for name, service in local.services : name => service if service.earth_engine }

  project = var.project
  role    = "roles/earthengine.viewer"
  member  = local.members[each.key]
}

resource "google_project_iam_member" "service_usage" {
  for_each = { for name, service in local.services : name => service if service.earth_engine }

  project = var.project
  role    = "roles/serviceusage.serviceUsageConsumer"
  member  = local.members[each.key]
}

# Scheduled queries read what their files name and write the summaries

locals {
  summary_texts = { for query in local.schedules.scheduled_queries : query.name => templatefile("${local.warehouse_root}/sql/scheduled/${query.name}.sql", local.placeholders) }
  summary_reads = toset(flatten([for text in concat(values(local.summary_texts), [for name in local.summary_views : local.views[name]]) : [
    for match in regexall("${var.dataset}\\.(\\w+)", text) : match[0] if !contains(keys(local.summary_texts), match[0])
  ]]))
  named_views   = toset(flatten([for text in values(local.summary_texts) : [for match in regexall("${var.dataset}\\.(\\w+)", text) : match[0] if contains(local.warehouse.views, match[0])]]))
  summary_views = setunion(local.named_views, flatten([for name in local.named_views : local.view_reads[name]]))
}

resource "google_project_iam_member" "summaries_jobs" {
  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = local.members["summaries"]
}

resource "google_bigquery_table_iam_member" "summaries_read" {
  for_each = local.summary_reads

  dataset_id = google_bigquery_dataset.landcover.dataset_id
  table_id   = each.key
  role       = "roles/bigquery.dataViewer"
  member     = local.members["summaries"]

  depends_on = [google_bigquery_table.table, google_bigquery_table.base_view, google_bigquery_table.derived_view]
}

resource "google_bigquery_table_iam_member" "summaries_write" {
  for_each = local.summary_texts

  dataset_id = google_bigquery_dataset.landcover.dataset_id
  table_id   = each.key
  role       = "roles/bigquery.dataEditor"
  member     = local.members["summaries"]

  depends_on = [google_bigquery_table.table]
}

# Who may call what: Pub/Sub the functions, the world the webhook

resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = local.pushed

  location = var.region
  name     = google_cloudfunctions2_function.service[each.key].name
  role     = "roles/run.invoker"
  member   = local.members["push"]
}

resource "google_cloud_run_v2_service_iam_member" "webhook" {
  count = var.public_webhook ? 1 : 0

  location = var.region
  name     = google_cloudfunctions2_function.service["register-aoi"].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}

# Pub/Sub's own agent: tokens for pushes, dead letters

resource "google_service_account_iam_member" "push_tokens" {
  service_account_id = local.accounts["push"]
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}

resource "google_pubsub_topic_iam_member" "dead_letters" {
  for_each = {
    "dead-letters"            = google_pubsub_topic.topic["dead-letters"].name
    "dead-letters-unrecorded" = google_pubsub_topic.unrecorded.name
  }

  topic  = each.value
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "forwarder" {
  for_each = local.subscriptions

  subscription = google_pubsub_subscription.push[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

# Building

resource "google_project_iam_member" "build_logs" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = local.members["build"]
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = google_storage_bucket.source.name
  role   = "roles/storage.objectViewer"
  member = local.members["build"]
}

resource "google_artifact_registry_repository_iam_member" "build" {
  location   = var.region
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = local.members["build"]
}
