# The webhook's signing secrets. They are in the Terraform state as well: keep it where only operators can read it.

resource "random_bytes" "webhook" {
  for_each = toset(var.webhook_secret_generations)

  length = 32
}

resource "google_secret_manager_secret" "webhook" {
  secret_id = "landcover-webhook-secrets"

  replication {
    auto {}
  }

  depends_on = [google_project_service.used]
}

resource "google_secret_manager_secret_version" "webhook" {
  secret      = google_secret_manager_secret.webhook.id
  secret_data = join(" ", [for name in var.webhook_secret_generations : "whsec_${random_bytes.webhook[name].base64}"])
}

resource "google_secret_manager_secret_iam_member" "webhook" {
  for_each = { for name, service in local.services : name => service if length(service.secrets) > 0 }

  secret_id = google_secret_manager_secret.webhook.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.service[each.key].member
}
