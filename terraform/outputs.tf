output "webhook_url" {
  description = "Where AOIs are registered."
  value       = google_cloudfunctions2_function.service["register-aoi"].service_config[0].uri
}

output "webhook_secret" {
  description = "The newest signing secret, for senders: terraform output -raw webhook_secret"
  value       = "whsec_${random_bytes.signing["webhook_secrets ${var.webhook_secret_generations[0]}"].base64}"
  sensitive   = true
}

output "event_secret" {
  description = "The newest secret that signs events, for their receiver: terraform output -raw event_secret"
  value       = var.event_url == null ? null : "whsec_${random_bytes.signing["event_secrets ${var.event_secret_generations[0]}"].base64}"
  sensitive   = true
}

output "dataset" {
  description = "The BigQuery dataset."
  value       = "${var.project}.${google_bigquery_dataset.landcover.dataset_id}"
}

output "dashboard_url" {
  description = "The operations dashboard."
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${reverse(split("/", google_monitoring_dashboard.operations.id))[0]}?project=${var.project}"
}

output "looker_studio_url" {
  description = "Opens Looker Studio with the monthly report view as its data source (Linking API)."
  value = format(
    "https://lookerstudio.google.com/reporting/create?%s",
    join("&", [for key, value in {
      "c.mode"              = "edit"
      "ds.connector"        = "bigQuery"
      "ds.type"             = "TABLE"
      "ds.projectId"        = var.project
      "ds.datasetId"        = google_bigquery_dataset.landcover.dataset_id
      "ds.tableId"          = "report_monthly"
      "ds.billingProjectId" = var.project
      "r.reportName"        = "Land cover"
    } : "${key}=${urlencode(value)}"]),
  )
}

output "earth_engine_requests" {
  description = "Earth Engine requests that may run at the same time."
  value       = terraform_data.earth_engine_limit.output
}
