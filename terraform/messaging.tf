resource "google_pubsub_topic" "topic" {
  for_each = toset(local.messaging.topics)

  project      = local.project
  name         = "${var.prefix}-${each.key}"
  labels       = local.labels
  kms_key_name = local.kms_key

  dynamic "message_storage_policy" {
    for_each = length(local.data_regions) == 0 ? [] : [local.data_regions]
    content {
      allowed_persistence_regions = message_storage_policy.value
    }
  }
}

locals {
  # Where messages and secrets may lie; with a key, where the key is.
  data_regions = length(var.data_regions) > 0 || var.kms_key == null ? var.data_regions : [var.region]
}

# Where a dead letter ends that could not even be recorded: kept for a month, to be read by a subscription made then.
resource "google_pubsub_topic" "unrecorded" {
  project                    = local.project
  name                       = "${var.prefix}-dead-letters-unrecorded"
  labels                     = local.labels
  kms_key_name               = local.kms_key
  message_retention_duration = "2678400s"

  dynamic "message_storage_policy" {
    for_each = length(local.data_regions) == 0 ? [] : [local.data_regions]
    content {
      allowed_persistence_regions = message_storage_policy.value
    }
  }
}

resource "google_pubsub_subscription" "push" {
  for_each = local.subscriptions

  project                    = local.project
  name                       = "${var.prefix}-${each.key}"
  topic                      = google_pubsub_topic.topic[each.value.topic].id
  labels                     = local.labels
  filter                     = join(" AND ", [for key, value in each.value.filter : "attributes.${key} = \"${value}\""])
  ack_deadline_seconds       = each.value.ack_deadline_seconds
  message_retention_duration = "2678400s" # 31 days, the longest: the history of many new areas takes longer than a week

  expiration_policy {
    ttl = ""
  }
  retry_policy {
    minimum_backoff = "${each.value.minimum_backoff_seconds}s"
    maximum_backoff = "${each.value.maximum_backoff_seconds}s"
  }
  dead_letter_policy {
    dead_letter_topic     = each.value.topic == "dead-letters" ? google_pubsub_topic.unrecorded.id : google_pubsub_topic.topic["dead-letters"].id
    max_delivery_attempts = each.value.max_delivery_attempts
  }
  push_config {
    # The parameter makes Pub/Sub send CloudEvents. It is Eventarc's own, used by others on their subscriptions and
    # documented nowhere; without it functions-framework turns plain pushes into the same events, except one without
    # data, and nothing here publishes such.
    push_endpoint = format(
      "%s?__GCP_CloudEventsMode=CUSTOM_PUBSUB_%s",
      google_cloudfunctions2_function.service[each.key].service_config[0].uri,
      urlencode("projects/${var.project}/topics/${var.prefix}-${each.value.topic}"),
    )
    oidc_token {
      service_account_email = local.emails["push"]
      audience              = local.audience[each.key]
    }
  }

  # a push that comes before these is refused, and counts as an attempt
  depends_on = [google_cloud_run_v2_service_iam_member.push, google_pubsub_topic_iam_member.dead_letters]
}
