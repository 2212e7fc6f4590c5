# No cloud is reached: the providers' answers are made up, their schemas are real. Waits take no time.
mock_provider "google" {}
mock_provider "time" {}
mock_provider "google-beta" {
  mock_resource "google_project_service_identity" {
    defaults = { member = "serviceAccount:service-1@gcp-sa-agent.iam.gserviceaccount.com" }
  }
}

# Agents as Google names them: roles are checked by who has them.
override_resource {
  target = google_project_service_identity.agent["pubsub"]
  values = { member = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com" }
}

override_resource {
  target = google_project_service_identity.agent["bigquerydatatransfer"]
  values = { member = "serviceAccount:service-1@gcp-sa-bigquerydatatransfer.iam.gserviceaccount.com" }
}

variables {
  project        = "some-landcover-project"
  public_webhook = true
  alert_email    = "operators@example.com"
  event_url      = "https://hooks.example.com/landcover"

  # terraform test wants ephemeral variables set; without secrets_version they are not used
  event_secrets   = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
  webhook_secrets = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

  hint_credentials = "copernicus:0123456789abcdef0123456789abcdef"
}

run "everything" {
  command = apply

  variables {
    webhook_secret_generations = ["second", "first"]
    hint_senders               = ["copernicus", "sns"]
  }

  assert {
    condition     = google_secret_manager_secret_version.signing["hint_credentials"].secret_data == "copernicus:${output.hint_passwords["copernicus"]} sns:${output.hint_passwords["sns"]}"
    error_message = "Each sender of hints has a password of its own."
  }
  assert {
    condition     = google_cloudfunctions2_function.service["hint"].service_config[0].max_instance_count == 1
    error_message = "Hints are counted by the one instance that there is."
  }

  assert {
    condition     = output.earth_engine_requests <= 36
    error_message = "Leave Earth Engine some of its 40 concurrent requests for people."
  }
  assert {
    condition     = alltrue([for service in google_cloudfunctions2_function.service : service.service_config[0].max_instance_request_concurrency == 1])
    error_message = "The Earth Engine client is one global of its process: one request an instance."
  }
  assert {
    condition     = length(google_bigquery_table.table) == length(local.warehouse.tables) && alltrue([for table in google_bigquery_table.table : table.deletion_protection])
    error_message = "Tables are protected unless somebody says otherwise."
  }
  assert {
    condition     = google_storage_bucket_object.source.name == "source-${data.archive_file.source.output_sha256}.zip"
    error_message = "The archive is named by its content, so that a change of code deploys."
  }
  assert {
    condition     = length(split(" ", google_secret_manager_secret_version.signing["webhook_secrets"].secret_data)) == 2
    error_message = "While rotating, both secrets are accepted."
  }
  assert {
    condition     = startswith(google_secret_manager_secret_version.signing["webhook_secrets"].secret_data, output.webhook_secret)
    error_message = "The newest secret is the one to hand out."
  }
}

run "otherwise" {
  command = plan

  variables {
    alert_email    = null
    event_url      = null
    public_webhook = false

    earth_engine_daily_ceiling       = { quota_id = "some-id", eecu_hours = 20 }
    max_instances                    = { measure = 70 }
    earth_engine_concurrent_requests = 100

    webhook_callers = ["group:senders@example.com"]
    prefix          = "lc-two"
    labels          = { team = "forest" }
    settings        = { coverage_floor = 0.35, pair_budget = 250, pixel_budget = 20000000 }
  }

  assert {
    condition     = !contains(keys(google_cloudfunctions2_function.service), "deliver-event") && !contains(keys(google_pubsub_subscription.push), "deliver-event")
    error_message = "Without an address nothing waits to deliver events."
  }
  assert {
    condition     = keys(google_secret_manager_secret.signing) == ["webhook_secrets"] && contains(keys(google_pubsub_topic.topic), "events")
    error_message = "Without an address there is no secret for it; the topic is there all the same."
  }
  assert {
    condition     = !contains(keys(google_cloudfunctions2_function.service), "hint") && length(google_cloud_run_v2_service_iam_member.hint) == 0 && output.hint_url == null
    error_message = "Nobody sends hints unless somebody is named."
  }
  assert {
    condition     = keys(google_cloud_run_v2_service_iam_member.webhook) == ["group:senders@example.com"]
    error_message = "Nobody unknown may call anything."
  }
  assert {
    condition = alltrue(concat(
      [for name, topic in google_pubsub_topic.topic : topic.name == "lc-two-${name}"],
      [for name, subscription in google_pubsub_subscription.push : subscription.name == "lc-two-${name}"],
      [for name, service in google_cloudfunctions2_function.service : service.name == "lc-two-${name}"],
      [for name, account in google_service_account.account : account.account_id == "lc-two-${name}"],
      [google_storage_bucket.source.name == "some-landcover-project-lc-two-source"],
    ))
    error_message = "Two deployments in one project differ by their prefix everywhere."
  }
  assert {
    condition     = google_cloudfunctions2_function.service["measure"].service_config[0].environment_variables["LANDCOVER_MESSAGING_PREFIX"] == "lc-two-"
    error_message = "The functions know what their topics are called."
  }
  assert {
    condition     = google_pubsub_topic.unrecorded.labels == tomap({ app = "lc-two", team = "forest" })
    error_message = "Labels are on everything."
  }
  assert {
    condition     = google_cloudfunctions2_function.service["measure"].service_config[0].environment_variables["LANDCOVER_PIXEL_BUDGET"] == "20000000"
    error_message = "A setting reaches the functions that read it, a large number in digits."
  }
  assert {
    condition     = strcontains(google_bigquery_data_transfer_config.summary["monthly_summary"].params.query, "coverage >= 0.35")
    error_message = "The coverage floor reaches the scheduled SQL."
  }
  assert {
    condition     = google_cloudfunctions2_function.service["measure"].service_config[0].max_instance_count == 70
    error_message = "max_instances overrides the default."
  }

  assert {
    condition     = google_cloud_quotas_quota_preference.earth_engine_time[0].quota_config[0].preferred_value == "72000"
    error_message = "Earth Engine's ceiling is in seconds."
  }

  expect_failures = [check.somebody_is_told]
}

run "too_many_earth_engine_instances" {
  command = plan

  variables {
    max_instances = { measure = 30 }
  }

  expect_failures = [terraform_data.earth_engine_limit]
}

run "what_is_refused" {
  command = plan

  variables {
    alert_email                      = "nobody"
    alert_webhook_url                = "http://pager.example.com"
    clients                          = { "Acme" = {}, acme = { scopes = ["erase"], readers = ["me"], event_url = "http://x.example.com" } }
    budget                           = { billing_account = "mine", amount = 100 }
    daily_query_quota_tebibytes      = -1
    data_regions                     = ["Europe"]
    dataset                          = "land-cover"
    earth_engine_concurrent_requests = 0.5
    earth_engine_daily_ceiling       = { quota_id = "some-id", eecu_hours = 0 }
    earth_engine_monthly_eecu_hours  = 0
    event_secret_generations         = ["first", "first"]
    event_secrets                    = "hunter2"
    hint_credentials                 = "copernicus:hunter2"
    hint_senders                     = ["Copernicus"]
    event_url                        = "http://hooks.example.com/landcover"
    labels                           = { Team = "Forest" }
    max_bytes_billed_per_query       = 1
    max_instances                    = { mesure = 2 }
    prefix                           = "much-too-long"
    project                          = "Some Project"
    region                           = "Europe"
    settings                         = { coverage_floor = 2 }
    warehouse_location               = "Mars"
    webhook_callers                  = ["me"]
    webhook_secret_generations       = []
    webhook_secrets                  = "hunter2"
  }

  expect_failures = [
    var.alert_email, var.alert_webhook_url, var.budget, var.clients, var.daily_query_quota_tebibytes, var.data_regions, var.dataset,
    var.earth_engine_concurrent_requests, var.earth_engine_daily_ceiling, var.earth_engine_monthly_eecu_hours, var.event_secret_generations, var.event_secrets,
    var.event_url, var.hint_credentials, var.hint_senders, var.labels, var.max_bytes_billed_per_query, var.max_instances, var.prefix, var.project,
    var.region, var.settings, var.warehouse_location, var.webhook_callers,
    var.webhook_secret_generations, var.webhook_secrets,
  ]
}

run "what_does_not_go_together" {
  command = plan

  variables {
    kms_key         = "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key"
    secrets_version = 1
    settings        = { layer_budget = 51 }
    webhook_secrets = null
  }

  expect_failures = [var.kms_key, var.secrets_version, var.settings]
}

run "secrets_of_nobody" {
  command = plan

  variables {
    clients         = { acme = { event_url = "https://hooks.example.com/acme" } }
    event_url       = null
    secrets_version = 1
    event_secrets   = "acme:whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    webhook_secrets = "acme:whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY= globex:whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
  }

  expect_failures = [var.secrets_version]
}

run "several_clients" {
  command = apply

  variables {
    event_url = null
    clients = {
      acme      = { readers = ["group:readers@acme.example.com"], event_url = "https://hooks.acme.example.com/landcover" }
      globex-eu = { scopes = ["register"], max_registered_aois = 500, webhook_secret_generations = ["second", "first"] }
      initech   = { readers = ["group:initech@example.com"], max_registered_km2 = 20000.5 }
    }
  }

  assert {
    condition     = output.client_datasets["globex-eu"] == "some-landcover-project.landcover_globex_eu"
    error_message = "A dataset's name has no hyphens."
  }
  assert {
    condition     = strcontains(google_secret_manager_secret_version.signing["webhook_secrets"].secret_data, " globex-eu:${output.client_secrets["globex-eu"].webhook} globex-eu:whsec_")
    error_message = "While rotating, both of a client's secrets are accepted; the newest is the one to hand out."
  }
  assert {
    condition     = google_secret_manager_secret_version.signing["event_secrets"].secret_data == "acme:${output.client_secrets["acme"].event}" && output.client_secrets["initech"].event == null
    error_message = "Who is told has a secret for it, and nobody else."
  }
}
