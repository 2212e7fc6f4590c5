resource "google_cloud_scheduler_job" "tick" {
  for_each = { for scheduled in local.schedules.ticks : scheduled.name => scheduled }

  project   = local.project
  name      = "${var.prefix}-${each.key}"
  region    = var.region
  schedule  = each.value.cron
  time_zone = "Etc/UTC"

  pubsub_target {
    topic_name = google_pubsub_topic.topic["ticks"].id
    data       = base64encode(jsonencode(each.value.tick))
    attributes = { job = each.value.tick.job }
  }
  retry_config {
    retry_count          = 3
    min_backoff_duration = "10s"
  }

  # a tick that no subscription waits for is lost
  depends_on = [google_pubsub_subscription.push]
}
