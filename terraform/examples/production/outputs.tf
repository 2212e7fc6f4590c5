output "client_datasets" {
  description = "The BigQuery dataset of each client's views."
  value       = module.landcover.client_datasets
}

output "dashboard_url" {
  description = "The operations dashboard."
  value       = module.landcover.dashboard_url
}

output "environment" {
  description = "What the command line needs to know: eval \"$(terraform output -raw environment)\""
  value       = module.landcover.environment
}

output "secrets" {
  description = "Where the secrets are: gcloud secrets versions access latest --secret ID"
  value       = module.landcover.secrets
}

output "topics" {
  description = "Topics that other systems subscribe to or publish to."
  value       = module.landcover.topics
}

output "webhook_url" {
  description = "Where areas are registered."
  value       = module.landcover.webhook_url
}
