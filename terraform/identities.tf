# One account a service, with what services.json says that its code uses and nothing else. Tests compare both ways.

locals {
  account_purposes = merge(
    { for name in keys(local.services) : name => "${var.prefix}: ${name}" },
    {
      build     = "${var.prefix}: builds the functions"
      push      = "${var.prefix}: pushes messages to the functions"
      summaries = "${var.prefix}: scheduled queries"
    },
  )

  # Each once it can be granted something. Addresses follow from ids, so that a plan shows who gets what.
  emails   = { for name in keys(local.account_purposes) : name => time_sleep.identities.triggers[name] }
  members  = { for name, email in local.emails : name => "serviceAccount:${email}" }
  accounts = { for name, email in local.emails : name => "projects/${var.project}/serviceAccounts/${email}" }
  agents   = { for name in keys(google_project_service_identity.agent) : name => time_sleep.identities.triggers["agent ${name}"] }
}

resource "google_service_account" "account" {
  for_each = local.account_purposes

  project      = local.project
  account_id   = "${var.prefix}-${each.key}"
  display_name = each.value
}

# Publishing

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = merge([for name, service in local.services : { for topic in service.publishes : "${name} ${topic}" => { service = name, topic = topic } }]...)

  project = local.project
  topic   = google_pubsub_topic.topic[each.value.topic].name
  role    = "roles/pubsub.publisher"
  member  = local.members[each.value.service]
}

# BigQuery: jobs in the project; reading and adding rows table by table. Roles of our own, so that one binding a table
# holds all who have it, in one call (a table takes five changes of its rights in ten seconds), and takes nothing from
# people who were granted Google's roles.

locals {
  readers = merge(
    { for name, service in local.services : name => service.reads },
    { summaries = concat(tolist(local.summary_reads), keys(local.summary_texts)) },
  )
  appenders = merge(
    { for name, service in local.services : name => service.appends },
    { summaries = keys(local.summary_texts) },
  )
  readers_by_table   = transpose(local.readers)
  appenders_by_table = transpose(local.appenders)
}

# A deleted role's name stays taken for 37 days, longer than somebody waits who makes a deployment anew.
resource "random_id" "roles" {
  byte_length = 3
}

resource "google_project_iam_custom_role" "reader" {
  project     = local.project
  role_id     = replace("${var.prefix}_reader_${random_id.roles.hex}", "-", "_")
  title       = "${var.prefix} reader"
  description = "Reads a table, and nothing else."
  permissions = ["bigquery.tables.get", "bigquery.tables.getData"]
}

resource "google_project_iam_custom_role" "appender" {
  project     = local.project
  role_id     = replace("${var.prefix}_appender_${random_id.roles.hex}", "-", "_")
  title       = "${var.prefix} appender"
  description = "Adds rows to a table; reading it is another role."
  permissions = ["bigquery.tables.get", "bigquery.tables.updateData"]
}

# A table or view that was made anew has lost its grants: its id tells.
resource "terraform_data" "made" {
  for_each = merge(google_bigquery_table.table, google_bigquery_table.base_view, google_bigquery_table.derived_view)

  triggers_replace = each.value.id
}

resource "google_bigquery_table_iam_binding" "readers" {
  for_each = local.readers_by_table

  project    = local.project
  dataset_id = google_bigquery_dataset.landcover.dataset_id
  table_id   = each.key
  role       = google_project_iam_custom_role.reader.name
  members    = [for name in each.value : local.members[name]]

  lifecycle {
    replace_triggered_by = [terraform_data.made[each.key]]
  }
}

resource "google_bigquery_table_iam_binding" "appenders" {
  for_each = local.appenders_by_table

  project    = local.project
  dataset_id = google_bigquery_dataset.landcover.dataset_id
  table_id   = each.key
  role       = google_project_iam_custom_role.appender.name
  members    = [for name in each.value : local.members[name]]

  lifecycle {
    replace_triggered_by = [terraform_data.made[each.key]]
  }
}

resource "google_project_iam_member" "jobs" {
  for_each = toset(concat([for name, service in local.services : name if length(service.reads) > 0], ["summaries"]))

  project = local.project
  role    = "roles/bigquery.jobUser"
  member  = local.members[each.key]
}

# Earth Engine has no narrower place than the project

resource "google_project_iam_member" "earth_engine" {
  for_each = { for name, service in local.services : name => service if service.earth_engine }

  project = local.project
  role    = "roles/earthengine.viewer"
  member  = local.members[each.key]
}

resource "google_project_iam_member" "service_usage" {
  for_each = { for name, service in local.services : name => service if service.earth_engine }

  project = local.project
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

# "bigquery.datasets.get", which running a scheduled query asks for; a member by IAM would take authorised views away
resource "google_bigquery_dataset_access" "summaries" {
  project       = local.project
  dataset_id    = google_bigquery_dataset.landcover.dataset_id
  role          = "roles/bigquery.metadataViewer"
  user_by_email = local.emails["summaries"]
}

# The agent of the Data Transfer Service acts as the account of the scheduled queries.
resource "google_service_account_iam_member" "summaries_tokens" {
  service_account_id = local.accounts["summaries"]
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.agents["bigquerydatatransfer"]
}

# Who may call what: Pub/Sub the functions, callers the webhook, senders the hints. A function that was made anew has lost its grants.

resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = local.pushed

  project  = local.project
  location = var.region
  name     = google_cloudfunctions2_function.service[each.key].name
  role     = "roles/run.invoker"
  member   = local.members["push"]

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.service[each.key].id]
  }
}

resource "google_cloud_run_v2_service_iam_member" "webhook" {
  for_each = setunion(var.public_webhook ? ["allUsers"] : [], var.webhook_callers)

  project  = local.project
  location = var.region
  name     = google_cloudfunctions2_function.service["register-aoi"].name
  role     = "roles/run.invoker"
  member   = each.key

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.service["register-aoi"].id]
  }
}

# Senders of hints have no identity at Google: they are known by name and password, which the function checks.
resource "google_cloud_run_v2_service_iam_member" "hint" {
  for_each = toset(contains(keys(local.services), "hint") ? ["allUsers"] : [])

  project  = local.project
  location = var.region
  name     = google_cloudfunctions2_function.service["hint"].name
  role     = "roles/run.invoker"
  member   = each.key

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.service["hint"].id]
  }
}

# Pub/Sub's own agent: tokens for pushes, dead letters

resource "google_service_account_iam_member" "push_tokens" {
  service_account_id = local.accounts["push"]
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.agents["pubsub"]
}

resource "google_pubsub_topic_iam_member" "dead_letters" {
  for_each = {
    "dead-letters"            = google_pubsub_topic.topic["dead-letters"].name
    "dead-letters-unrecorded" = google_pubsub_topic.unrecorded.name
  }

  project = local.project
  topic   = each.value
  role    = "roles/pubsub.publisher"
  member  = local.agents["pubsub"]
}

resource "google_pubsub_subscription_iam_member" "forwarder" {
  for_each = local.subscriptions

  project      = local.project
  subscription = google_pubsub_subscription.push[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.agents["pubsub"]
}

# Builds: log lines, the archive, images. The platform copies the archive to a bucket of its own,
# gcf-v2-sources-NUMBER-REGION, and reads it there as the account of the build.

resource "google_project_iam_member" "build_logs" {
  project = local.project
  role    = "roles/logging.logWriter"
  member  = local.members["build"]
}

resource "google_project_iam_member" "build_sources" {
  project = local.project
  role    = "roles/storage.objectViewer"
  member  = local.members["build"]

  condition {
    title       = "sources of functions"
    description = "The bucket that the platform builds functions from; its name ends in the project's number."
    expression  = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-\")"
  }
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = google_storage_bucket.source.name
  role   = "roles/storage.objectViewer"
  member = local.members["build"]
}

resource "google_artifact_registry_repository_iam_member" "build" {
  project    = local.project
  location   = var.region
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = local.members["build"]
}
