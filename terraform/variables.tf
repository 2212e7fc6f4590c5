variable "project" {
  description = "Google Cloud project id; registered for Earth Engine."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "Give a project id such as my-landcover-project: 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "Region of the functions and the scheduler."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "Give a region such as europe-west1."
  }
}

variable "warehouse_location" {
  description = "BigQuery location of the dataset: a multi-region (EU, US) or a region."
  type        = string
  default     = "EU"

  validation {
    condition     = can(regex("^(EU|US|[a-z]+-[a-z]+[0-9]+)$", var.warehouse_location))
    error_message = "Give EU, US or a region such as europe-west1."
  }
}

variable "dataset" {
  description = "BigQuery dataset that Terraform creates."
  type        = string
  default     = "landcover"

  validation {
    condition     = can(regex("^[A-Za-z_][A-Za-z0-9_]*$", var.dataset))
    error_message = "A dataset name holds letters, digits and underscores only, and does not begin with a digit."
  }
}

variable "alert_email" {
  description = "Address that alerts go to; null makes the alerts without a recipient."
  type        = string
  default     = null

  validation {
    condition     = var.alert_email == null || can(regex("^[^@\\s]+@[^@\\s]+$", var.alert_email))
    error_message = "Give one e-mail address, or null."
  }
}

variable "webhook_secret_generations" {
  description = "Names of the webhook's signing secrets, newest first. Add one in front to rotate; drop the old one once every sender has changed."
  type        = list(string)
  default     = ["first"]

  validation {
    condition     = length(var.webhook_secret_generations) >= 1 && length(var.webhook_secret_generations) <= 3
    error_message = "Keep one to three generations: one usually, two while rotating."
  }
  validation {
    condition     = length(distinct(var.webhook_secret_generations)) == length(var.webhook_secret_generations)
    error_message = "Each generation has a name of its own."
  }
}

variable "event_url" {
  description = "HTTPS address that events (observation.created, change.flagged) are sent to as signed webhooks; null sends none. Events are published on the topic events in any case."
  type        = string
  default     = null

  validation {
    condition     = var.event_url == null || can(regex("^https://[^\\s/@?#]+(/\\S*)?$", var.event_url))
    error_message = "Give an https address without user name, or null."
  }
}

variable "event_secret_generations" {
  description = "Names of the secrets that sign events, newest first. Events are signed with all of them: add one in front to rotate; drop the old one once the receiver has changed."
  type        = list(string)
  default     = ["first"]

  validation {
    condition     = length(var.event_secret_generations) >= 1 && length(var.event_secret_generations) <= 3
    error_message = "Keep one to three generations: one usually, two while rotating."
  }
  validation {
    condition     = length(distinct(var.event_secret_generations)) == length(var.event_secret_generations)
    error_message = "Each generation has a name of its own."
  }
}

variable "public_webhook" {
  description = "Whether anyone may reach the webhook (its signature decides). False where the organisation forbids public services; grant callers run.invoker on it then."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Protects the tables from terraform destroy."
  type        = bool
  default     = true
}

variable "max_instances" {
  description = "Most instances of a service, where the default of services.json does not fit."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for service, count in var.max_instances : contains(keys(local.all_services), service) && count >= 1])
    error_message = "Name services of services.json, each with one instance or more."
  }
  validation {
    condition     = lookup(var.max_instances, "register-aoi", 1) == 1
    error_message = "register-aoi must stay at one instance: two registrations at the same moment would take the same version number."
  }
}

variable "earth_engine_concurrent_requests" {
  description = "Earth Engine's limit of concurrent requests for the project (40 unless Google raised it)."
  type        = number
  default     = 40
}

variable "max_bytes_billed_per_query" {
  description = "Most bytes one query of a function may read; BigQuery refuses more."
  type        = number
  default     = 100000000000

  validation {
    condition     = var.max_bytes_billed_per_query >= 10000000
    error_message = "BigQuery bills 10 MB at least: give 10000000 or more."
  }
}

variable "daily_query_quota_tebibytes" {
  description = "Most bytes (TiB) that all queries of the project together may read a day; null leaves the project's quota as it is."
  type        = number
  default     = null

  validation {
    condition     = var.daily_query_quota_tebibytes == null || try(var.daily_query_quota_tebibytes > 0, false)
    error_message = "Give a positive number of TiB, or null."
  }
}

variable "settings" {
  description = "Settings of the functions that differ from their defaults, such as { coverage_floor = \"0.3\" }; the README lists them."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([for name in keys(var.settings) : contains([
      "collection", "backfill_start", "coverage_floor", "discover_settle_minutes", "discover_window_days",
      "earth_engine_deadline_seconds", "earth_engine_patience_seconds", "label_pixel_budget", "layer_budget", "max_area_km2",
      "max_body_bytes", "max_features", "max_vertices", "pair_budget", "pass_collection", "payload_budget_bytes", "pixel_budget",
    ], name)])
    error_message = "Only settings of the README's table can be set here, in lower case and without LANDCOVER_; project, dataset, identities and secrets are Terraform's own."
  }
}
