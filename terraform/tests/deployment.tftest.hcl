# No cloud is reached: the provider's answers are made up, its schema is real.
mock_provider "google" {}

variables {
  project     = "some-landcover-project"
  alert_email = "operators@example.com"
  event_url   = "https://hooks.example.com/landcover"
}

run "everything" {
  command = apply

  assert {
    condition     = output.earth_engine_requests <= 36
    error_message = "Leave Earth Engine some of its 40 concurrent requests for people."
  }
  assert {
    condition     = alltrue([for service in google_cloudfunctions2_function.service : service.service_config[0].max_instance_request_concurrency == 1])
    error_message = "The Earth Engine client is one global of its process, and register-aoi numbers versions: one request an instance."
  }
  assert {
    condition     = length(google_bigquery_table.table) == length(local.warehouse.tables) && alltrue([for table in google_bigquery_table.table : table.deletion_protection])
    error_message = "Tables are protected unless somebody says otherwise."
  }
  assert {
    condition     = google_storage_bucket_object.source.name == "source-${data.archive_file.source.output_sha256}.zip"
    error_message = "The archive is named by its content, so that a change of code deploys."
  }
}

run "rotation" {
  command = apply

  variables {
    webhook_secret_generations = ["second", "first"]
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

run "nobody_to_tell" {
  command = apply

  variables {
    event_url = null
  }

  assert {
    condition     = !contains(keys(google_cloudfunctions2_function.service), "deliver-event") && !contains(keys(google_pubsub_subscription.push), "deliver-event")
    error_message = "Without an address nothing waits to deliver events."
  }
  assert {
    condition     = keys(google_secret_manager_secret.signing) == ["webhook_secrets"] && contains(keys(google_pubsub_topic.topic), "events")
    error_message = "Without an address there is no secret for it; the topic is there all the same."
  }
}

run "settings_reach_functions_and_summaries" {
  command = apply

  variables {
    settings = { coverage_floor = "0.35", pair_budget = "250" }
  }

  assert {
    condition     = google_cloudfunctions2_function.service["measure"].service_config[0].environment_variables["LANDCOVER_PAIR_BUDGET"] == "250"
    error_message = "A setting reaches the functions that read it."
  }
  assert {
    condition     = strcontains(google_bigquery_data_transfer_config.summary["monthly_summary"].params.query, "coverage >= 0.35")
    error_message = "The coverage floor reaches the scheduled SQL."
  }
}

run "private_webhook" {
  command = apply

  variables {
    public_webhook = false
  }

  assert {
    condition     = length(google_cloud_run_v2_service_iam_member.webhook) == 0
    error_message = "Nobody unknown may call anything."
  }
}

run "too_many_earth_engine_instances" {
  command = plan

  variables {
    max_instances = { measure = 30 }
  }

  expect_failures = [terraform_data.earth_engine_limit]
}

run "more_instances_with_a_higher_limit" {
  command = plan

  variables {
    max_instances                    = { measure = 76 }
    earth_engine_concurrent_requests = 100
  }

  assert {
    condition     = google_cloudfunctions2_function.service["measure"].service_config[0].max_instance_count == 76
    error_message = "max_instances overrides the default."
  }
}

run "two_webhook_instances" {
  command = plan

  variables {
    max_instances = { register-aoi = 2 }
  }

  expect_failures = [var.max_instances]
}

run "unknown_service" {
  command = plan

  variables {
    max_instances = { mesure = 2 }
  }

  expect_failures = [var.max_instances]
}

run "bad_names" {
  command = plan

  variables {
    project            = "Some Project"
    region             = "Europe"
    dataset            = "land-cover"
    warehouse_location = "Mars"
  }

  expect_failures = [var.project, var.region, var.dataset, var.warehouse_location]
}

run "unknown_setting" {
  command = plan

  variables {
    settings = { webhook_secrets = "whsec_x" }
  }

  expect_failures = [var.settings]
}

run "the_same_generation_twice" {
  command = plan

  variables {
    webhook_secret_generations = ["first", "first"]
    event_secret_generations   = ["first", "first"]
  }

  expect_failures = [var.webhook_secret_generations, var.event_secret_generations]
}

run "unsafe_event_address" {
  command = plan

  variables {
    event_url = "http://hooks.example.com/landcover"
  }

  expect_failures = [var.event_url]
}

run "bad_limits" {
  command = plan

  variables {
    alert_email                 = "nobody"
    max_bytes_billed_per_query  = 1
    daily_query_quota_tebibytes = -1
  }

  expect_failures = [var.alert_email, var.max_bytes_billed_per_query, var.daily_query_quota_tebibytes]
}
