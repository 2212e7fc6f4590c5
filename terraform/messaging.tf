resource "google_pubsub_topic" "topic" {
  for_each = toset(local.messaging.topics)

  name = "landcover-${each.key}"

  depends_on = [google_project_service.used]
}

# Where a dead letter ends that could not even be recorded: kept for a month, to be read by a subscription made then.
resource "google_pubsub_topic" "unrecorded" {
  name                       = "landcover-dead-letters-unrecorded"
  message_retention_duration = "2678400s"

  depends_on = [google_project_service.used]
}

resource "google_pubsub_subscription" "push" {
  for_each = local.subscriptions

  name                       = "landcover-${each.key}"
  topic                      = google_pubsub_topic.topic[each.value.topic].id
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
    # the parameter makes Pub/Sub send CloudEvents, which a message without data needs to get through
    push_endpoint = format(
      "%s?__GCP_CloudEventsMode=CUSTOM_PUBSUB_%s",
      google_cloudfunctions2_function.service[each.key].service_config[0].uri,
      urlencode("projects/${var.project}/topics/landcover-${each.value.topic}"),
    )
    oidc_token {
      service_account_email = local.emails["push"]
      audience              = local.audience[each.key]
    }
  }
}
