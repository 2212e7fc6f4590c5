locals {
  apis = [
    "artifactregistry", "bigquery", "bigquerydatatransfer", "cloudbuild", "cloudfunctions", "cloudquotas", "cloudscheduler",
    "earthengine", "iam", "logging", "monitoring", "pubsub", "run", "secretmanager", "storage",
  ]
}

resource "google_project_service" "used" {
  for_each = toset(local.apis)

  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}
