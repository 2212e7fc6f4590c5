variable "alert_email" {
  description = "Mailbox of the operators."
  type        = string
}

variable "alert_webhook_url" {
  description = "Address of the pager."
  type        = string
  sensitive   = true
}

variable "billing_account" {
  description = "Billing account of the project, for its budget."
  type        = string
}

variable "clients" {
  description = "Clients that share the deployment, such as { acme = { readers = [\"group:readers@acme.example.com\"], max_registered_km2 = 20000 } }; empty for one trust domain."
  type        = any
  default     = {}
}

variable "event_secrets" {
  description = "Secrets that sign events: export TF_VAR_event_secrets=\"whsec_$(openssl rand -base64 32)\"; a client's as acme:whsec_…, behind a blank."
  type        = string
  ephemeral   = true
  sensitive   = true
}

variable "event_url" {
  description = "Address that events are sent to."
  type        = string
}

variable "kms_key" {
  description = "Key in the region, in a project of its own; whoever applies may set its policy."
  type        = string
}

variable "project" {
  description = "Google Cloud project id; registered for Earth Engine."
  type        = string
}

variable "region" {
  description = "Region of everything."
  type        = string
  default     = "europe-west1"
}

variable "secrets_version" {
  description = "Raised whenever the secrets change."
  type        = number
  default     = 1
}

variable "webhook_callers" {
  description = "IAM members that may register areas."
  type        = set(string)
}

variable "webhook_secrets" {
  description = "Secrets that registrations are signed with: export TF_VAR_webhook_secrets=\"whsec_$(openssl rand -base64 32)\"; a client's as acme:whsec_…, behind a blank."
  type        = string
  ephemeral   = true
  sensitive   = true
}
