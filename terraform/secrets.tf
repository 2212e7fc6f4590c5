# Signing secrets: of the webhook that registers areas, and of the events sent out. They are in the Terraform state as
# well: keep it where only operators can read it.

locals {
  secret_generations = merge(
    { webhook_secrets = var.webhook_secret_generations },
    var.event_url == null ? {} : { event_secrets = var.event_secret_generations },
  )
  secret_ids = { webhook_secrets = "landcover-webhook-secrets", event_secrets = "landcover-event-secrets" }
  signing    = merge([for setting, names in local.secret_generations : { for name in names : "${setting} ${name}" => setting }]...)
}

resource "random_bytes" "signing" {
  for_each = local.signing

  length = 32
}

resource "google_secret_manager_secret" "signing" {
  for_each = local.secret_generations

  secret_id = local.secret_ids[each.key]

  replication {
    auto {}
  }

  depends_on = [google_project_service.used]
}

resource "google_secret_manager_secret_version" "signing" {
  for_each = local.secret_generations

  secret      = google_secret_manager_secret.signing[each.key].id
  secret_data = join(" ", [for name in each.value : "whsec_${random_bytes.signing["${each.key} ${name}"].base64}"])
}

resource "google_secret_manager_secret_iam_member" "signing" {
  for_each = merge([for name, service in local.services : { for setting in service.secrets : "${name} ${setting}" => { service = name, setting = setting } }]...)

  secret_id = google_secret_manager_secret.signing[each.value.setting].id
  role      = "roles/secretmanager.secretAccessor"
  member    = local.members[each.value.service]
}
