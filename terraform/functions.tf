# One archive for all: the files of functions/ at its root, shared/ beside them, less the network, which none of them uses.
locals {
  function_files = fileset("${local.source_root}/functions", "*.py")
  shared_files   = setunion([for kind in ["py", "json", "sql"] : fileset("${local.source_root}/shared", "**/*.${kind}")]...)
  archive = merge(
    { for name in local.function_files : name => file("${local.source_root}/functions/${name}") if name != "__init__.py" },
    { for name in local.shared_files : "shared/${name}" => file("${local.source_root}/shared/${name}") if !startswith(name, "network/") },
    {
      "requirements.txt" = "--constraint constraints.txt\n${file("${local.source_root}/functions/requirements.txt")}"
      "constraints.txt"  = file("${local.source_root}/constraints.txt")
    },
  )
}

data "archive_file" "source" {
  type        = "zip"
  output_path = "${path.module}/.build/source.zip"

  dynamic "source" {
    for_each = local.archive
    content {
      filename = source.key
      content  = source.value
    }
  }
}

resource "google_storage_bucket" "source" {
  name                        = "${var.project}-landcover-source"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true

  versioning {
    enabled = true
  }
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 30
    }
  }
}

resource "google_storage_bucket_object" "source" {
  bucket = google_storage_bucket.source.name
  name   = "source-${data.archive_file.source.output_sha256}.zip"
  source = data.archive_file.source.output_path
}

resource "google_artifact_registry_repository" "images" {
  repository_id = "landcover"
  location      = var.region
  format        = "DOCKER"

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 3
    }
  }
  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.used]
}

resource "google_cloudfunctions2_function" "service" {
  for_each = local.services

  name     = "landcover-${each.key}"
  location = var.region

  build_config {
    runtime           = "python313"
    entry_point       = each.value.function
    service_account   = local.accounts["build"]
    docker_repository = google_artifact_registry_repository.images.id

    environment_variables = {
      GOOGLE_FUNCTION_SOURCE = "${each.value.function}.py"
    }
    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source.name
      }
    }
  }

  service_config {
    service_account_email            = local.emails[each.key]
    available_memory                 = each.value.memory
    available_cpu                    = "1"
    timeout_seconds                  = each.value.timeout_seconds
    max_instance_count               = local.max_instances[each.key]
    max_instance_request_concurrency = each.value.concurrency
    ingress_settings                 = each.key == "register-aoi" ? "ALLOW_ALL" : "ALLOW_INTERNAL_ONLY"
    all_traffic_on_latest_revision   = true
    environment_variables            = local.environment[each.key]

    dynamic "secret_environment_variables" {
      for_each = toset(each.value.secrets)
      content {
        key        = "LANDCOVER_${upper(secret_environment_variables.key)}"
        project_id = var.project
        secret     = google_secret_manager_secret.signing[secret_environment_variables.key].secret_id
        version    = google_secret_manager_secret_version.signing[secret_environment_variables.key].version
      }
    }
  }

  depends_on = [
    google_project_service.used,
    google_artifact_registry_repository_iam_member.build,
    google_project_iam_member.build_logs,
    google_storage_bucket_iam_member.build,
    google_secret_manager_secret_iam_member.signing,
  ]
}

# Earth Engine refuses what exceeds its concurrent requests; each instance makes one at a time.
resource "terraform_data" "earth_engine_limit" {
  input = sum([for name, service in local.services : local.max_instances[name] * service.concurrency if service.earth_engine])

  lifecycle {
    precondition {
      condition     = sum([for name, service in local.services : local.max_instances[name] * service.concurrency if service.earth_engine]) <= var.earth_engine_concurrent_requests
      error_message = "The services that use Earth Engine may run more instances together than earth_engine_concurrent_requests allows: lower max_instances."
    }
  }
}
