# One archive for all: the files of functions/ at its root, shared/ beside them. Archives are made of texts, so the
# network's file is in it as base64.
locals {
  function_files = fileset("${local.source_root}/functions", "*.py")
  shared_files   = setunion([for kind in ["py", "json", "sql"] : fileset("${local.source_root}/shared", "**/*.${kind}")]...)
  archive = merge(
    { for name in local.function_files : name => file("${local.source_root}/functions/${name}") if name != "__init__.py" },
    { for name in local.shared_files : "shared/${name}" => file("${local.source_root}/shared/${name}") },
    { for name in ["LICENSE", "NOTICE"] : "shared/network/${name}" => file("${local.source_root}/shared/network/${name}") },
    { "shared/network/dynamic_world.onnx.b64" = filebase64("${local.source_root}/shared/network/dynamic_world.onnx") },
    # every package by version and hash; a new version changes this file, and with it what the platform keeps of a build
    { "requirements.txt" = file("${local.source_root}/functions/requirements.lock") },
  )
}

data "archive_file" "source" {
  type        = "zip"
  output_path = "${path.module}/.build/${var.prefix}.zip"

  dynamic "source" {
    for_each = local.archive
    content {
      filename = source.key
      content  = source.value
    }
  }
}

resource "google_storage_bucket" "source" {
  project                     = local.project
  name                        = "${var.project}-${var.prefix}-source"
  location                    = var.region
  labels                      = local.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [local.kms_key]
    content {
      default_kms_key_name = encryption.value
    }
  }
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
  project       = local.project
  repository_id = var.prefix
  location      = var.region
  format        = "DOCKER"
  labels        = local.labels
  kms_key_name  = local.kms_key

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
}

resource "google_cloudfunctions2_function" "service" {
  for_each = local.services

  project      = local.project
  name         = "${var.prefix}-${each.key}"
  location     = var.region
  labels       = local.labels
  kms_key_name = local.kms_key

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
    ingress_settings                 = local.ingress[each.key]
    all_traffic_on_latest_revision   = true
    environment_variables            = local.environment[each.key]

    dynamic "secret_environment_variables" {
      for_each = toset(each.value.secrets)
      content {
        key        = "LANDCOVER_${upper(secret_environment_variables.key)}"
        project_id = local.project
        secret     = google_secret_manager_secret.signing[secret_environment_variables.key].secret_id
        version    = google_secret_manager_secret_version.signing[secret_environment_variables.key].version
      }
    }
  }

  # what it needs to be built and to answer its first message
  depends_on = [time_sleep.rights]
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
