# Signing secrets: of the webhook that registers areas, and of the events sent out; passwords of who sends hints. Made here they are in the Terraform
# state as well: keep it where only operators can read it. Given as variables they are in no state and no plan.
# A client's secrets stand among the others, behind its name and a colon.

locals {
  secrets_given = var.secrets_version != null
  # by what stands before each secret, which is nothing for the operator's
  secret_owners = {
    webhook_secrets = merge(
      { "" = var.webhook_secret_generations },
      { for name, client in var.clients : "${name}:" => client.webhook_secret_generations },
    )
    event_secrets = merge(
      { for owner in [""] : owner => var.event_secret_generations if var.event_url != null },
      { for name in local.told_clients : "${name}:" => var.clients[name].event_secret_generations },
    )
    # a password of its own for each: a second name is how one rotates
    hint_credentials = { for name in var.hint_senders : "${name}:" => [""] }
  }
  secret_generations = { for setting, owners in local.secret_owners : setting => owners if length(owners) > 0 }
  secret_ids         = { webhook_secrets = "${var.prefix}-webhook-secrets", event_secrets = "${var.prefix}-event-secrets", hint_credentials = "${var.prefix}-hint-credentials" }
  signing = toset(flatten([
    for setting, owners in local.secret_generations : [for owner, names in owners : [for name in names : "${setting} ${owner}${name}"]] if !local.secrets_given
  ]))
}

locals {
  # a password stands in an address, so it has letters and digits only
  secret_texts = { for name, made in random_bytes.signing : name => startswith(name, "hint_credentials ") ? made.hex : "whsec_${made.base64}" }
}

resource "random_bytes" "signing" {
  for_each = local.signing

  length = 32
}

resource "google_secret_manager_secret" "signing" {
  for_each = local.secret_generations

  project   = local.project
  secret_id = local.secret_ids[each.key]
  labels    = local.labels

  replication {
    dynamic "auto" {
      for_each = length(local.data_regions) == 0 ? [true] : []
      content {}
    }
    dynamic "user_managed" {
      for_each = length(local.data_regions) == 0 ? [] : [local.data_regions]
      content {
        dynamic "replicas" {
          for_each = user_managed.value
          content {
            location = replicas.value
            dynamic "customer_managed_encryption" {
              for_each = var.kms_key == null ? [] : [local.kms_key]
              content {
                kms_key_name = customer_managed_encryption.value
              }
            }
          }
        }
      }
    }
  }
}

# A new version is there before the functions are told of it, and the old one stays, disabled at the end: instances that
# start meanwhile find theirs, and a deployment that fails has a way back (`gcloud secrets versions enable`).
resource "google_secret_manager_secret_version" "signing" {
  for_each = local.secret_generations

  secret                 = google_secret_manager_secret.signing[each.key].id
  secret_data            = local.secrets_given ? null : join(" ", flatten([for owner, names in each.value : [for name in names : "${owner}${local.secret_texts["${each.key} ${owner}${name}"]}"]]))
  secret_data_wo         = local.secrets_given ? { webhook_secrets = var.webhook_secrets, event_secrets = var.event_secrets, hint_credentials = var.hint_credentials }[each.key] : null
  secret_data_wo_version = var.secrets_version
  deletion_policy        = "DISABLE"

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_iam_member" "signing" {
  for_each = merge([for name, service in local.services : { for setting in service.secrets : "${name} ${setting}" => { service = name, setting = setting } }]...)

  project   = local.project
  secret_id = google_secret_manager_secret.signing[each.value.setting].id
  role      = "roles/secretmanager.secretAccessor"
  member    = local.members[each.value.service]
}
