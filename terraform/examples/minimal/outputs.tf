output "dashboard_url" {
  description = "The operations dashboard."
  value       = module.landcover.dashboard_url
}

output "environment" {
  description = "What the command line needs to know: eval \"$(terraform output -raw environment)\""
  value       = module.landcover.environment
}

output "looker_studio_url" {
  description = "Opens Looker Studio on the monthly report."
  value       = module.landcover.looker_studio_url
}

output "webhook_secret" {
  description = "Secret that registrations are signed with."
  value       = module.landcover.webhook_secret
  sensitive   = true
}

output "webhook_url" {
  description = "Where areas are registered."
  value       = module.landcover.webhook_url
}
