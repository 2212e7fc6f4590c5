# Counters made of the functions' log lines; see shared/logs.py and shared/handling.py for the fields.
locals {
  from_services = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"^landcover-\""

  log_counters = {
    dead_letters        = "${local.from_services} AND jsonPayload.message=\"dead letter\""
    retries             = "${local.from_services} AND jsonPayload.message=\"will be retried\""
    deployment_refusals = "${local.from_services} AND jsonPayload.message=\"deployment refused\""
    late_finds          = "${local.from_services} AND jsonPayload.message=\"found late\""
    refused_callers     = "${local.from_services} AND jsonPayload.message=\"refused: caller\""
    announcements       = "${local.from_services} AND jsonPayload.function=\"discover\" AND jsonPayload.announced>0"
    discoveries         = "${local.from_services} AND jsonPayload.function=\"discover\" AND jsonPayload.message=\"done\""
    measurements        = "${local.from_services} AND jsonPayload.function=\"measure\" AND jsonPayload.observations>0"
    earth_engine_limits = "${local.from_services} AND jsonPayload.error=~\"Too many concurrent aggregations|Too Many Requests|Quota exceeded\""
    schedule_failures   = "severity>=ERROR AND ((resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=~\"^landcover-\") OR resource.type=\"bigquery_dts_config\")"
  }

  counted = { for name in keys(local.log_counters) : name => "logging_googleapis_com:user_landcover_${name}" }

  alerts = {
    dead_letters = {
      name  = "dead letters"
      query = "sum(increase(${local.counted.dead_letters}[10m])) > 0"
      wait  = "0s"
      help  = "Messages failed for good. `landcover dead-letters list` says why; mend the cause, then `landcover dead-letters replay`."
    }
    deployment_refusals = {
      name  = "Earth Engine refuses this project"
      query = "sum(increase(${local.counted.deployment_refusals}[30m])) > 0"
      wait  = "900s"
      help  = "Permission, registration, a disabled API or the quota: the log line \"deployment refused\" carries Earth Engine's own words. Messages wait and are retried for hours. In the first minutes of a new project this heals by itself; `landcover probe` tells what is missing."
    }
    late_finds = {
      name  = "frequent discovery misses images"
      query = "sum(increase(${local.counted.late_finds}[1d])) > 0"
      wait  = "0s"
      help  = "The nightly discovery found images that the frequent one should have announced. Areas were still measured, a day late. `landcover probe` compares how images are selected by their ingestion time."
    }
    unrecorded = {
      name  = "dead letters that could not be recorded"
      query = "sum(increase(pubsub_googleapis_com:topic_send_message_operation_count{topic_id=\"${google_pubsub_topic.unrecorded.name}\"}[10m])) > 0"
      wait  = "0s"
      help  = "record-dead-letter itself fails. The messages are kept for a month on the topic landcover-dead-letters-unrecorded: make a subscription, seek back, and publish them again."
    }
    silence = {
      name  = "images came, but no observation for a day"
      query = "sum(increase(${local.counted.announcements}[1d])) > 0 unless sum(increase(${local.counted.measurements}[1d])) > 0"
      wait  = "3600s"
      help  = "discover announced images over registered areas and nothing was measured. `landcover doctor` says what is missing."
    }
    undiscovered = {
      name  = "no discovery for two hours"
      query = "absent_over_time(${local.counted.discoveries}[2h])"
      wait  = "0s"
      help  = "The scheduler does not tick, or discover does not end. Look at the job landcover-discover-frequent and the log of landcover-discover."
    }
    errors = {
      name  = "one request in five fails"
      query = "sum by (service_name) (rate(run_googleapis_com:request_count{response_code_class=\"5xx\",service_name=~\"landcover-.*\"}[30m])) / sum by (service_name) (rate(run_googleapis_com:request_count{service_name=~\"landcover-.*\"}[30m])) > 0.2"
      wait  = "900s"
      help  = "The service's log lines \"will be retried\" carry the error."
    }
    backlog = {
      name  = "live measurements wait for more than an hour"
      query = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{subscription_id=\"landcover-measure\"}) > 3600"
      wait  = "900s"
      help  = "More work than instances, or Earth Engine refuses. See max_instances and the Earth Engine limits on the dashboard."
    }
    earth_engine_limits = {
      name  = "Earth Engine limits reached"
      query = "sum(increase(${local.counted.earth_engine_limits}[1h])) > 20"
      wait  = "0s"
      help  = "Too many concurrent requests or a quota is used up: lower max_instances or ask Google for more."
    }
    schedule_failures = {
      name  = "a scheduled job failed"
      query = "sum(increase(${local.counted.schedule_failures}[1h])) > 0"
      wait  = "0s"
      help  = "A scheduler job or a scheduled query ended in an error; its log says which."
    }
  }
}

resource "google_logging_metric" "counter" {
  for_each = local.log_counters

  name   = "landcover/${each.key}"
  filter = each.value

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }

  depends_on = [google_project_service.used]
}

resource "google_monitoring_notification_channel" "email" {
  count = var.alert_email == null ? 0 : 1

  display_name = "landcover operators"
  type         = "email"
  labels       = { email_address = var.alert_email }

  depends_on = [google_project_service.used]
}

resource "google_monitoring_alert_policy" "alert" {
  for_each = local.alerts

  display_name          = "landcover: ${each.value.name}"
  combiner              = "OR"
  notification_channels = google_monitoring_notification_channel.email[*].id

  conditions {
    display_name = each.value.name
    condition_prometheus_query_language {
      query               = each.value.query
      duration            = each.value.wait
      evaluation_interval = "300s"
    }
  }
  documentation {
    content   = each.value.help
    mime_type = "text/markdown"
  }
  alert_strategy {
    auto_close = "86400s"
  }

  depends_on = [google_logging_metric.counter]
}

locals {
  charts = [
    { title = "Measurements with observations, per hour", query = "sum(increase(${local.counted.measurements}[1h]))" },
    { title = "Announcements by discover, per hour", query = "sum(increase(${local.counted.announcements}[1h]))" },
    { title = "Messages waiting", query = "sum by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages)" },
    { title = "Oldest message, seconds", query = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age)" },
    { title = "Dead letters and retries, per hour", query = "sum(increase(${local.counted.dead_letters}[1h])) or sum(increase(${local.counted.retries}[1h]))" },
    { title = "Earth Engine limits reached, per hour", query = "sum(increase(${local.counted.earth_engine_limits}[1h]))" },
    { title = "Instances", query = "sum by (service_name) (run_googleapis_com:container_instance_count{service_name=~\"landcover-.*\"})" },
    { title = "Slowest requests, seconds (p95)", query = "histogram_quantile(0.95, sum by (service_name, le) (rate(run_googleapis_com:request_latencies_bucket{service_name=~\"landcover-.*\"}[15m]))) / 1000" },
  ]
}

resource "google_monitoring_dashboard" "operations" {
  dashboard_json = jsonencode({
    displayName = "Land cover: operations"
    mosaicLayout = {
      columns = 12
      tiles = [for index, chart in local.charts : {
        xPos   = index % 2 * 6
        yPos   = floor(index / 2) * 4
        width  = 6
        height = 4
        widget = {
          title = chart.title
          xyChart = {
            dataSets = [{ plotType = "LINE", timeSeriesQuery = { prometheusQuery = chart.query } }]
          }
        }
      }]
    }
  })

  depends_on = [google_logging_metric.counter]
}
