# What Google Cloud promises only after a while, in one place: an API that was enabled, an account or agent that was
# made, a right that was granted. Whatever needs one takes its value from behind the wait, so that no address can forget
# it; a test walks Terraform's graph.

locals {
  apis = concat(
    [
      "artifactregistry", "bigquery", "bigquerydatatransfer", "cloudbuild", "cloudfunctions", "cloudquotas",
      "cloudresourcemanager", "cloudscheduler", "earthengine", "iam", "logging", "monitoring", "pubsub", "run",
      "secretmanager", "serviceusage", "storage",
    ],
    var.budget == null ? [] : ["billingbudgets"],
    var.kms_key == null ? [] : ["cloudkms"],
  )

  # The project, once its APIs answer.
  project = time_sleep.apis.triggers.project
}

resource "google_project_service" "used" {
  for_each = toset(local.apis)

  project            = var.project
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

# Enabling is eventually consistent: calls are refused for about a minute ("has not been used in project").
resource "time_sleep" "apis" {
  create_duration = "60s"
  triggers        = { project = var.project, apis = join(" ", sort(local.apis)) }

  depends_on = [google_project_service.used]
}

# Google's own accounts in this project. They come into being when a service is first used, and a grant to one that does
# not exist is refused; the first deployments of functions stumble over theirs.
resource "google_project_service_identity" "agent" {
  provider = google-beta
  for_each = toset(concat(
    ["artifactregistry", "bigquerydatatransfer", "cloudfunctions", "pubsub", "run"],
    var.kms_key == null ? [] : ["secretmanager"],
  ))

  project = local.project
  service = "${each.key}.googleapis.com"
}

# "After you create a service account, it might take 60 seconds or more before you can use it."
resource "time_sleep" "identities" {
  create_duration = "60s"
  triggers = merge(
    { for name, account in google_service_account.account : name => "${account.account_id}@${account.project}.iam.gserviceaccount.com" },
    { for name, agent in google_project_service_identity.agent : "agent ${name}" => agent.member },
  )
}

# Rights reach everything within minutes: builds and the first runs of scheduled queries begin behind them.
resource "time_sleep" "rights" {
  create_duration = "60s"
  triggers        = { services = join(" ", sort(keys(local.services))) }

  depends_on = [
    google_artifact_registry_repository_iam_member.build,
    google_bigquery_dataset_access.summaries,
    google_bigquery_table_iam_binding.appenders,
    google_bigquery_table_iam_binding.readers,
    google_project_iam_member.build_logs,
    google_project_iam_member.build_sources,
    google_project_iam_member.earth_engine,
    google_project_iam_member.jobs,
    google_project_iam_member.service_usage,
    google_pubsub_topic_iam_member.publisher,
    google_secret_manager_secret_iam_member.signing,
    google_service_account_iam_member.push_tokens,
    google_service_account_iam_member.summaries_tokens,
    google_storage_bucket_iam_member.build,
  ]
}
