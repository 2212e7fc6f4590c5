variable "alert_email" {
  description = "Address that alerts go to."
  type        = string
  default     = null

  validation {
    condition     = var.alert_email == null || can(regex("^[^@\\s]+@[^@\\s]+$", var.alert_email))
    error_message = "Give one e-mail address, or null."
  }
}

variable "alert_webhook_url" {
  description = "HTTPS address that Cloud Monitoring posts alerts to, with its token as a parameter."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.alert_webhook_url == null || can(regex("^https://\\S+$", var.alert_webhook_url))
    error_message = "Give an https address, or null."
  }
}

variable "budget" {
  description = "Billing budget of the project: whole units of the billing account's currency a month, and the shares of it at which to tell. It tells and stops nothing."
  type = object({
    billing_account = string
    amount          = number
    currency        = optional(string, "USD")
    thresholds      = optional(list(number), [0.5, 0.9, 1])
  })
  default = null

  validation {
    condition     = var.budget == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "Give the id of a billing account, such as 01AB23-456CDE-7F8901."
  }
  validation {
    condition     = var.budget == null || try(var.budget.amount >= 1 && floor(var.budget.amount) == var.budget.amount, false)
    error_message = "Give a whole amount of 1 or more."
  }
}

variable "clients" {
  description = "Clients that share this deployment, by name, each with secrets, areas and views of its own: what its calls may do (register, delete), the most it may register, where its events go (else to event_url), IAM members that read its views, names of its secrets as of the operator's. Empty: one deployment, one trust domain."
  type = map(object({
    scopes                     = optional(set(string), ["register", "delete"])
    max_registered_aois        = optional(number)
    max_registered_km2         = optional(number)
    event_url                  = optional(string)
    readers                    = optional(set(string), [])
    webhook_secret_generations = optional(list(string), ["first"])
    event_secret_generations   = optional(list(string), ["first"])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = length(var.clients) <= 100 && alltrue([for name in keys(var.clients) : can(regex("^[a-z]([a-z0-9-]{0,22}[a-z0-9])?$", name))])
    error_message = "Give at most 100 clients; names are 1 to 24 lower-case letters, digits and hyphens, beginning with a letter."
  }
  validation {
    condition     = alltrue([for client in var.clients : length(client.scopes) > 0 && length(setsubtract(client.scopes, ["register", "delete"])) == 0])
    error_message = "scopes are register, delete or both."
  }
  validation {
    condition     = alltrue([for client in var.clients : coalesce(client.max_registered_aois, 1) > 0 && coalesce(client.max_registered_km2, 1) > 0])
    error_message = "Ceilings are positive numbers."
  }
  validation {
    condition     = alltrue([for client in var.clients : client.event_url == null || can(regex("^https://[^\\s/@?#]+(/\\S*)?$", client.event_url))])
    error_message = "event_url is an https address without user name."
  }
  validation {
    condition     = alltrue(flatten([for client in var.clients : [for member in client.readers : can(regex("^(user|group|serviceAccount|principal|principalSet|domain):", member))]]))
    error_message = "readers are IAM members such as group:readers@example.com."
  }
  validation {
    condition = alltrue(flatten([for client in var.clients : [
      for names in [client.webhook_secret_generations, client.event_secret_generations] : length(names) >= 1 && length(names) <= 3 && length(distinct(names)) == length(names)
    ]]))
    error_message = "Keep one to three generations of each secret, each with a name of its own."
  }
}

variable "daily_query_quota_tebibytes" {
  description = "Most bytes (TiB) that all queries of the project together may read a day; null leaves the project's quota as it is (Google's default is 200)."
  type        = number
  default     = null

  validation {
    condition     = var.daily_query_quota_tebibytes == null || try(var.daily_query_quota_tebibytes > 0, false)
    error_message = "Give a positive number of TiB, or null."
  }
}

variable "data_regions" {
  description = "Regions that messages and secrets may be stored in; empty leaves it to Google. The rows lie in warehouse_location."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for region in var.data_regions : can(regex("^[a-z]+-[a-z]+[0-9]+$", region))])
    error_message = "Give regions such as europe-west1."
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

variable "deletion_protection" {
  description = "Protects the tables from terraform destroy."
  type        = bool
  default     = true
}

variable "earth_engine_concurrent_requests" {
  description = "Earth Engine's limit of concurrent requests for the project (40 unless Google raised it)."
  type        = number
  default     = 40

  validation {
    condition     = var.earth_engine_concurrent_requests >= 1 && floor(var.earth_engine_concurrent_requests) == var.earth_engine_concurrent_requests
    error_message = "Give a whole number of 1 or more."
  }
}

variable "earth_engine_daily_ceiling" {
  description = "EECU-hours a day after which Earth Engine refuses until the next day, and the id of that quota, which no page names: gcloud beta quotas info list --service=earthengine.googleapis.com --project=… lists it with the metric daily_eecu_usage_time."
  type = object({
    quota_id   = string
    eecu_hours = number
  })
  default = null

  validation {
    condition     = var.earth_engine_daily_ceiling == null || try(var.earth_engine_daily_ceiling.eecu_hours > 0, false)
    error_message = "Give a positive number of EECU-hours."
  }
}

variable "earth_engine_monthly_eecu_hours" {
  description = "EECU-hours a month that the project's Earth Engine tier or your money allows: an alert tells when a tenth goes in one day. The Community tier has 150, Contributor 1,000, Partner 100,000."
  type        = number
  default     = 150

  validation {
    condition     = var.earth_engine_monthly_eecu_hours > 0
    error_message = "Give a positive number of EECU-hours."
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

variable "event_secrets" {
  description = "Secrets (whsec_…; a client's as NAME:whsec_…) that sign events, separated by spaces, where secrets_version is set; kept in no state and no plan."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = var.event_secrets == null || can(regex("^(([a-z0-9-]+:)?whsec_[A-Za-z0-9+/=]{32,}( |$))+$", var.event_secrets))
    error_message = "Give secrets such as \"whsec_$(openssl rand -base64 32)\", separated by spaces; a client's as NAME:whsec_…"
  }
}

variable "event_url" {
  description = "HTTPS address that events (observation.created, change.confirmed, change.withdrawn) are sent to as signed webhooks; null sends none. Events are published on the topic events in any case."
  type        = string
  default     = null

  validation {
    condition     = var.event_url == null || can(regex("^https://[^\\s/@?#]+(/\\S*)?$", var.event_url))
    error_message = "Give an https address without user name, or null."
  }
}

variable "hint_credentials" {
  description = "Credentials (NAME:PASSWORD) of the hint_senders, separated by spaces, where secrets_version is set; kept in no state and no plan."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = var.hint_credentials == null || can(regex("^([a-z][a-z0-9-]*:[A-Za-z0-9._~-]{32,128}( |$))+$", var.hint_credentials))
    error_message = "Give credentials such as \"copernicus:$(openssl rand -hex 32)\", separated by spaces."
  }
}

variable "hint_senders" {
  description = "Names under which others may send early hints of new products (Copernicus Data Space, a bridge from SNS), each with a password of its own; anyone may reach that one function then, and the password decides. Empty makes no such function."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.hint_senders) <= 10 && alltrue([for name in var.hint_senders : can(regex("^[a-z]([a-z0-9-]{0,22}[a-z0-9])?$", name))])
    error_message = "Give at most ten names of 1 to 24 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "kms_key" {
  description = "Key of your own (CMEK) for messages, rows, secrets, archive and images; null means Google's. Everything lies in the key's region then."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "Give the id of a key: projects/…/locations/…/keyRings/…/cryptoKeys/…"
  }
  validation {
    condition     = var.kms_key == null || (try(split("/", var.kms_key)[3], "") == var.region && var.warehouse_location == var.region && alltrue([for region in var.data_regions : region == var.region]))
    error_message = "With a key of your own, region, warehouse_location and data_regions are all the region of the key."
  }
}

variable "labels" {
  description = "Labels of everything that takes labels, beside app."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "Keys and values of labels hold lower-case letters, digits, _ and -, at most 63; keys begin with a letter."
  }
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

variable "max_instances" {
  description = "Most instances of a service, where the default of services.json does not fit."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for service, count in var.max_instances : contains(keys(local.all_services), service) && count >= 1])
    error_message = "Name services of services.json, each with one instance or more."
  }
}

variable "prefix" {
  description = "What names begin with: functions, topics, subscriptions, accounts, secrets, bucket. One deployment a prefix in a project."
  type        = string
  default     = "landcover"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,9}[a-z0-9]$", var.prefix))
    error_message = "Give 2 to 11 lower-case letters, digits and hyphens, beginning with a letter: an account's id has room for no more."
  }
}

variable "project" {
  description = "Google Cloud project id; registered for Earth Engine."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "Give a project id such as my-landcover-project: 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "public_webhook" {
  description = "Whether anyone may reach the webhook, whose signature decides then. False where the organisation forbids public services (most do that were made since May 2024): name webhook_callers."
  type        = bool
  nullable    = false
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

variable "secrets_version" {
  description = "Null makes the signing secrets, which are in the state then. A number takes them from webhook_secrets, event_secrets and hint_credentials: raise it whenever they change."
  type        = number
  default     = null

  validation {
    condition     = var.secrets_version == null || try(var.secrets_version >= 1 && floor(var.secrets_version) == var.secrets_version, false)
    error_message = "Give a whole number of 1 or more, or null."
  }
  validation {
    condition     = var.secrets_version == null || var.webhook_secrets != null
    error_message = "With secrets_version, give webhook_secrets."
  }
  validation {
    condition     = var.secrets_version == null || var.event_url == null || var.event_secrets != null
    error_message = "With secrets_version and event_url, give event_secrets."
  }
  validation {
    condition     = var.secrets_version == null || alltrue([for name in var.hint_senders : can(regex("(^| )${name}:", var.hint_credentials))])
    error_message = "With secrets_version and hint_senders, hint_credentials has each of them: NAME:PASSWORD"
  }
  validation {
    condition     = var.secrets_version == null || alltrue([for name in keys(var.clients) : can(regex("(^| )${name}:whsec_", var.webhook_secrets))])
    error_message = "With secrets_version and clients, webhook_secrets has a secret of each client: NAME:whsec_…"
  }
  validation {
    condition     = var.secrets_version == null || alltrue([for name, client in var.clients : client.event_url == null || can(regex("(^| )${name}:whsec_", var.event_secrets))])
    error_message = "With secrets_version, event_secrets has a secret of each client that has an event_url: NAME:whsec_…"
  }
  validation {
    condition     = var.secrets_version == null || alltrue([for secrets in [var.webhook_secrets, var.event_secrets] : try(length(setsubtract(flatten(regexall("([a-z0-9-]+):whsec_", secrets)), keys(var.clients))) == 0, true)])
    error_message = "A name before a secret is that of one of clients."
  }
}

variable "settings" {
  description = "Settings of the functions that differ from their defaults; README.md of the repository says what each means. Terraform passes over a name that is not among them."
  type = object({
    backfill_start                = optional(string)
    baseline_year                 = optional(number)
    classify                      = optional(string)
    classify_after_hours          = optional(number)
    collection                    = optional(string)
    coverage_floor                = optional(number)
    discover_settle_minutes       = optional(number)
    discover_window_days          = optional(number)
    earth_engine_deadline_seconds = optional(number)
    earth_engine_patience_seconds = optional(number)
    label_pixel_budget            = optional(number)
    layer_budget                  = optional(number)
    max_area_km2                  = optional(number)
    max_body_bytes                = optional(number)
    max_body_seconds              = optional(number)
    max_extent_deg                = optional(number)
    max_features                  = optional(number)
    max_hints_per_hour            = optional(number)
    max_history_eecu_hours        = optional(number)
    max_registered_aois           = optional(number)
    max_registered_km2            = optional(number)
    max_vertices                  = optional(number)
    max_watched_km2               = optional(number)
    network_in_summaries          = optional(string)
    pair_budget                   = optional(number)
    pass_collection               = optional(string)
    payload_budget_bytes          = optional(number)
    pixel_budget                  = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^20[0-9]{2}-[01][0-9]-[0-3][0-9]$", coalesce(var.settings.backfill_start, "2015-06-27")))
    error_message = "backfill_start is a day such as 2020-01-01."
  }
  validation {
    condition     = contains(["off", "gaps", "always"], coalesce(var.settings.classify, "gaps")) && contains(["never", "fill", "all"], coalesce(var.settings.network_in_summaries, "fill"))
    error_message = "classify is off, gaps or always; network_in_summaries is never, fill or all."
  }
  validation {
    condition     = coalesce(var.settings.classify_after_hours, 48) >= 0
    error_message = "classify_after_hours is 0 or more."
  }
  validation {
    condition     = coalesce(var.settings.coverage_floor, 0.2) >= 0 && coalesce(var.settings.coverage_floor, 0.2) <= 1
    error_message = "coverage_floor is a share from 0 to 1."
  }
  validation {
    condition     = coalesce(var.settings.discover_settle_minutes, 60) >= 0
    error_message = "discover_settle_minutes is 0 or more."
  }
  validation {
    condition     = coalesce(var.settings.layer_budget, 1) <= 50 && coalesce(var.settings.pair_budget, 1) <= 1000
    error_message = "layer_budget is at most 50, pair_budget at most 1000."
  }
  validation {
    condition     = alltrue([for name, value in var.settings : try(tonumber(value) > 0, true) if !contains(["baseline_year", "classify_after_hours", "coverage_floor", "discover_settle_minutes"], name)])
    error_message = "Budgets and limits are positive numbers."
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

variable "webhook_callers" {
  description = "IAM members that may call the webhook, such as serviceAccount:…; they send an identity token beside the signature. Needed where public_webhook is false."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for member in var.webhook_callers : can(regex("^(user|group|serviceAccount|principal|principalSet|domain):", member))])
    error_message = "Give IAM members such as serviceAccount:sender@my-project.iam.gserviceaccount.com."
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

variable "webhook_secrets" {
  description = "Secrets (whsec_…; a client's as NAME:whsec_…) that callers of the webhook sign with, separated by spaces, where secrets_version is set; kept in no state and no plan."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = var.webhook_secrets == null || can(regex("^(([a-z0-9-]+:)?whsec_[A-Za-z0-9+/=]{32,}( |$))+$", var.webhook_secrets))
    error_message = "Give secrets such as \"whsec_$(openssl rand -base64 32)\", separated by spaces; a client's as NAME:whsec_…"
  }
}
