output "client_datasets" {
  description = "The BigQuery dataset of each client's views."
  value       = { for name, dataset in google_bigquery_dataset.client : name => "${local.project}.${dataset.dataset_id}" }

  depends_on = [google_bigquery_dataset_access.client_view, google_bigquery_dataset_access.own_view]
}

output "client_secrets" {
  description = "The newest secrets of each client: webhook, for its calls, and event, for its receiver; null where there is none or it was given as a variable."
  value = {
    for name, client in var.clients : name => {
      webhook = try("whsec_${random_bytes.signing["webhook_secrets ${name}:${client.webhook_secret_generations[0]}"].base64}", null)
      event   = try("whsec_${random_bytes.signing["event_secrets ${name}:${client.event_secret_generations[0]}"].base64}", null)
    }
  }
  sensitive = true
}

output "dashboard_url" {
  description = "The operations dashboard."
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${reverse(split("/", google_monitoring_dashboard.operations.id))[0]}?project=${var.project}"
}

output "dataset" {
  description = "The BigQuery dataset, as PROJECT.DATASET."
  value       = "${local.project}.${google_bigquery_dataset.landcover.dataset_id}"

  depends_on = [google_bigquery_table.table, google_bigquery_table.base_view, google_bigquery_table.derived_view]
}

output "earth_engine_requests" {
  description = "Earth Engine requests that may run at the same time."
  value       = terraform_data.earth_engine_limit.output
}

output "environment" {
  description = "What the command line needs to know of this deployment: eval \"$(terraform output -raw environment)\""
  value       = join("\n", [for setting in ["project", "dataset", "messaging_prefix"] : "export LANDCOVER_${upper(setting)}=${local.own_settings[setting]}"])
}

output "event_secret" {
  description = "The newest secret that signs events, for their receiver; null where there is none or it was given as a variable."
  value       = try("whsec_${random_bytes.signing["event_secrets ${var.event_secret_generations[0]}"].base64}", null)
  sensitive   = true
}

output "functions" {
  description = "Name of each function by its service."
  value       = { for name, function in google_cloudfunctions2_function.service : name => function.name }

  depends_on = [google_cloud_run_v2_service_iam_member.push]
}

output "hint_passwords" {
  description = "The password of each sender of hints, by name; null where it was given as a variable."
  value       = { for name in var.hint_senders : name => try(local.secret_texts["hint_credentials ${name}:"], null) }
  sensitive   = true
}

output "hint_url" {
  description = "Where hints of new products are sent; null where nobody may."
  value       = try(google_cloudfunctions2_function.service["hint"].service_config[0].uri, null)

  depends_on = [google_cloud_run_v2_service_iam_member.hint]
}

output "looker_studio_url" {
  description = "Opens Looker Studio with the monthly report view as its data source (Linking API). Who opens it, or looks at what it makes, needs rights of their own to read the view and to run queries."
  value = format(
    "https://lookerstudio.google.com/reporting/create?%s",
    join("&", [for key, value in {
      "c.mode"                  = "edit"
      "ds.ds0.connector"        = "bigQuery"
      "ds.ds0.type"             = "TABLE"
      "ds.ds0.projectId"        = var.project
      "ds.ds0.datasetId"        = google_bigquery_dataset.landcover.dataset_id
      "ds.ds0.tableId"          = "report_monthly"
      "ds.ds0.billingProjectId" = var.project
      "r.reportName"            = "Land cover"
    } : "${key}=${urlencode(value)}"]),
  )
}

output "secrets" {
  description = "Secret Manager id of each signing secret."
  value       = { for name, secret in google_secret_manager_secret.signing : name => secret.id }

  depends_on = [google_secret_manager_secret_version.signing]
}

output "service_accounts" {
  description = "E-mail address of the account of each service, and of build, push and summaries."
  value       = local.emails
}

output "subscriptions" {
  description = "Id of each push subscription by its service."
  value       = { for name, subscription in google_pubsub_subscription.push : name => subscription.id }

  depends_on = [google_pubsub_subscription_iam_member.forwarder]
}

output "topics" {
  description = "Id of each topic; events are for others to subscribe to, acquisitions for others to publish to."
  value       = merge({ for name, topic in google_pubsub_topic.topic : name => topic.id }, { "dead-letters-unrecorded" = google_pubsub_topic.unrecorded.id })

  depends_on = [google_pubsub_topic_iam_member.publisher, google_pubsub_topic_iam_member.dead_letters]
}

output "webhook_secret" {
  description = "The newest signing secret, for senders; null where it was given as a variable."
  value       = try("whsec_${random_bytes.signing["webhook_secrets ${var.webhook_secret_generations[0]}"].base64}", null)
  sensitive   = true
}

output "webhook_url" {
  description = "Where AOIs are registered."
  value       = google_cloudfunctions2_function.service["register-aoi"].service_config[0].uri

  depends_on = [google_cloud_run_v2_service_iam_member.webhook]
}
