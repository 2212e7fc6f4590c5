# What an organisation runs: state in a bucket, callers by name, alerts to a mailbox and a pager, a budget and ceilings,
# everything in one region under a key of its own, secrets that are in no state.

terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.45"
    }
    google-beta = {
      source  = "hashicorp/google-beta"
      version = "~> 7.45"
    }
  }

  # terraform init -backend-config=bucket=my-terraform-states
  backend "gcs" {
    prefix = "landcover"
  }
}

provider "google" {
  project               = var.project
  billing_project       = var.project
  user_project_override = true
}

provider "google-beta" {
  project               = var.project
  billing_project       = var.project
  user_project_override = true
}

module "landcover" {
  source = "../.."

  project = var.project
  prefix  = "lc-prod"
  labels  = { environment = "production", cost-centre = "earth" }

  region             = var.region
  warehouse_location = var.region
  data_regions       = [var.region]
  kms_key            = var.kms_key

  public_webhook  = false
  webhook_callers = var.webhook_callers
  webhook_secrets = var.webhook_secrets
  event_url       = var.event_url
  event_secrets   = var.event_secrets
  secrets_version = var.secrets_version

  alert_email       = var.alert_email
  alert_webhook_url = var.alert_webhook_url

  budget                          = { billing_account = var.billing_account, amount = 200 }
  daily_query_quota_tebibytes     = 1
  max_bytes_billed_per_query      = 50000000000
  earth_engine_monthly_eecu_hours = 1000

  # none, one trust domain; README.md says what several are given each
  clients = var.clients

  settings = { backfill_start = "2018-01-01", coverage_floor = 0.3 }
}
