# One apply from an empty project; ../../README.md goes through it step by step.

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
}

# Calls are billed to the project itself, whoever makes them: a person, or a service account in CI.
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

  project        = var.project
  public_webhook = var.public_webhook
  alert_email    = var.alert_email
}
