# A key of the operator's own (CMEK): the agents of the services that store things use it.

locals {
  # The key, once the agents may use it.
  kms_key = one(time_sleep.encryption[*].triggers.key)

  key_users = var.kms_key == null ? {} : merge(
    { for name in ["artifactregistry", "cloudfunctions", "pubsub", "run", "secretmanager"] : name => local.agents[name] },
    {
      bigquery = "serviceAccount:${one(data.google_bigquery_default_service_account.this[*].email)}"
      storage  = "serviceAccount:${one(data.google_storage_project_service_account.this[*].email_address)}"
    },
  )
}

# Looked up when applying: a plan is made before the APIs are enabled.
data "google_bigquery_default_service_account" "this" {
  count = var.kms_key == null ? 0 : 1

  project = local.project

  depends_on = [time_sleep.apis]
}

data "google_storage_project_service_account" "this" {
  count = var.kms_key == null ? 0 : 1

  project = local.project

  depends_on = [time_sleep.apis]
}

resource "google_kms_crypto_key_iam_member" "user" {
  for_each = local.key_users

  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value
}

resource "time_sleep" "encryption" {
  count = var.kms_key == null ? 0 : 1

  create_duration = "60s"
  triggers        = { key = var.kms_key }

  depends_on = [google_kms_crypto_key_iam_member.user]
}
