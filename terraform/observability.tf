# Counters made of the functions' log lines; see shared/logs.py and shared/messages/receiving.py for the fields. Each counts lines of
# one kind of resource, which a query has to name.
locals {
  from_services = "resource.labels.service_name=~\"^${var.prefix}-\""

  service_counters = {
    dead_letters        = "jsonPayload.message=\"dead letter\""
    retries             = "jsonPayload.message=\"will be retried\""
    deployment_refusals = "jsonPayload.message=\"deployment refused\""
    late_finds          = "jsonPayload.message=\"found late\""
    refused_callers     = "jsonPayload.message=\"refused: caller\""
    announcements       = "jsonPayload.function=\"discover\" AND jsonPayload.announced>0"
    discoveries         = "jsonPayload.function=\"discover\" AND jsonPayload.message=\"done\""
    measurements        = "jsonPayload.function=\"measure\" AND jsonPayload.observations>0"
    classifications     = "jsonPayload.function=\"classify\" AND jsonPayload.observations>0"
    earth_engine_limits = "jsonPayload.error=~\"Too many concurrent aggregations|Too Many Requests|Quota exceeded\""
  }
  log_counters = merge(
    { for name, filter in local.service_counters : name => { resource = "cloud_run_revision", filter = "${local.from_services} AND ${filter}" } },
    {
      tick_failures  = { resource = "cloud_scheduler_job", filter = "severity>=ERROR AND resource.labels.job_id=~\"^${var.prefix}-\"" }
      query_failures = { resource = "bigquery_dts_config", filter = "severity>=ERROR AND resource.labels.config_id=(${join(" OR ", local.query_ids)})" }
    },
  )

  query_ids = [for config in google_bigquery_data_transfer_config.summary : "\"${reverse(split("/", config.name))[0]}\""]

  counted = {
    for name, counter in local.log_counters :
    name => "logging_googleapis_com:user_${replace(var.prefix, "-", "_")}_${name}{monitored_resource=\"${counter.resource}\"}"
  }

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
      query = "sum(increase(pubsub_googleapis_com:subscription_dead_letter_message_count{subscription_id=\"${var.prefix}-record-dead-letter\"}[10m])) > 0"
      wait  = "0s"
      help  = "record-dead-letter itself fails. The messages are kept for a month on the topic ${var.prefix}-dead-letters-unrecorded: make a subscription, seek back, and publish them again."
    }
    silence = {
      name  = "images came, but no observation for a day"
      query = "sum(increase(${local.counted.announcements}[1d])) > 0 unless sum(increase(${local.counted.measurements}[1d])) > 0"
      wait  = "3600s"
      help  = "discover announced images over registered areas and nothing was measured. `landcover doctor` says what is missing."
    }
    undiscovered = {
      name  = "no discovery for two hours"
      query = "absent_over_time(${local.counted.discoveries}[30m])"
      wait  = "5400s" # so that a new deployment has time for its first
      help  = "The scheduler does not tick, or discover does not end or refuses who calls it. Look at the job ${var.prefix}-discover-frequent and the log of ${var.prefix}-discover."
    }
    refused_callers = {
      name  = "functions refuse who calls them"
      query = "sum by (service_name) (increase(${local.counted.refused_callers}[15m])) > 3"
      wait  = "0s"
      help  = "Only Pub/Sub can reach these functions, so their check of its identity token fails: nothing is processed, and messages become dead letters in hours. The log line \"refused: caller\" says what was wrong; compare LANDCOVER_PUSH_SERVICE_ACCOUNT and LANDCOVER_PUSH_AUDIENCE with the subscription."
    }
    errors = {
      name  = "one request in five fails"
      query = "sum by (service_name) (rate(run_googleapis_com:request_count{response_code_class=\"5xx\",service_name=~\"${var.prefix}-.*\"}[30m])) / sum by (service_name) (rate(run_googleapis_com:request_count{service_name=~\"${var.prefix}-.*\"}[30m])) > 0.2"
      wait  = "900s"
      help  = "The service's log lines \"will be retried\" carry the error."
    }
    backlog = {
      name  = "live measurements wait for more than an hour"
      query = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{subscription_id=\"${var.prefix}-measure\"}) > 3600"
      wait  = "900s"
      help  = "More work than instances, or Earth Engine refuses. See max_instances and the Earth Engine limits on the dashboard."
    }
    unclassified = {
      name  = "passes wait for the network for more than half a day"
      query = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{subscription_id=\"${var.prefix}-classify\"}) > 43200"
      wait  = "900s"
      help  = "Hours are usual: the cloud probability of a scene comes that long after it. Longer means that it does not come any more, or more work than the instances of ${var.prefix}-classify do; \"will be retried\" in its log says which. The setting classify = \"off\" stops it."
    }
    earth_engine_limits = {
      name  = "Earth Engine limits reached"
      query = "sum(increase(${local.counted.earth_engine_limits}[1h])) > 20"
      wait  = "0s"
      help  = "Too many concurrent requests or a quota is used up: lower max_instances or ask Google for more."
    }
    tick_failures = {
      name  = "a scheduler job failed"
      query = "sum(increase(${local.counted.tick_failures}[1h])) > 0"
      wait  = "0s"
      help  = "A job of Cloud Scheduler could not publish its tick; its log says why."
    }
    query_failures = {
      name  = "a scheduled query failed"
      query = "sum(increase(${local.counted.query_failures}[1h])) > 0"
      wait  = "0s"
      help  = "A scheduled query ended in an error; its log says why. The next run makes up for it."
    }
    earth_engine_time = {
      name  = "a tenth of the month's Earth Engine time in one day"
      query = "sum(increase(earthengine_googleapis_com:project_cpu_usage_time[1d])) / 3600 > ${var.earth_engine_monthly_eecu_hours} / 10"
      wait  = "0s"
      help  = "At this pace the month's EECU-hours are used up in ten days; a noncommercial project is slowed down then. Usual while the history of new areas is measured. The dashboard has the sum."
    }
  }
}

resource "google_logging_metric" "counter" {
  for_each = local.log_counters

  project = local.project
  name    = "${var.prefix}/${each.key}"
  filter  = "resource.type=\"${each.value.resource}\" AND ${each.value.filter}"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}

resource "google_monitoring_notification_channel" "email" {
  count = var.alert_email == null ? 0 : 1

  project      = local.project
  display_name = "${var.prefix} operators"
  type         = "email"
  labels       = { email_address = var.alert_email }
  user_labels  = local.labels
}

resource "google_monitoring_notification_channel" "webhook" {
  count = var.alert_webhook_url == null ? 0 : 1

  project      = local.project
  display_name = "${var.prefix} webhook"
  type         = "webhook_tokenauth"
  labels       = { url = var.alert_webhook_url }
  user_labels  = local.labels
}

locals {
  channels = concat(google_monitoring_notification_channel.email[*].id, google_monitoring_notification_channel.webhook[*].id)
}

check "somebody_is_told" {
  assert {
    condition     = var.alert_email != null || var.alert_webhook_url != null
    error_message = "Alerts are made but tell nobody: set alert_email or alert_webhook_url."
  }
}

resource "google_monitoring_alert_policy" "alert" {
  for_each = local.alerts

  project               = local.project
  display_name          = "${var.prefix}: ${each.value.name}"
  combiner              = "OR"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = each.value.name
    condition_prometheus_query_language {
      query               = each.value.query
      duration            = each.value.wait
      evaluation_interval = "300s"
      # a counter made a moment ago has counted nothing, and would be refused as unknown
      disable_metric_validation = true
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
    { title = "Classifications with observations, per hour", query = "sum(increase(${local.counted.classifications}[1h]))" },
    { title = "Announcements by discover, per hour", query = "sum(increase(${local.counted.announcements}[1h]))" },
    { title = "Messages waiting", query = "sum by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages)" },
    { title = "Oldest message, seconds", query = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age)" },
    { title = "Dead letters and retries, per hour", query = "sum(increase(${local.counted.dead_letters}[1h])) or sum(increase(${local.counted.retries}[1h]))" },
    { title = "Earth Engine time, EECU-hours in the last day", query = "sum(increase(earthengine_googleapis_com:project_cpu_usage_time[1d])) / 3600" },
    { title = "Earth Engine limits reached, per hour", query = "sum(increase(${local.counted.earth_engine_limits}[1h]))" },
    { title = "Instances", query = "sum by (service_name) (run_googleapis_com:container_instance_count{service_name=~\"${var.prefix}-.*\"})" },
    { title = "Slowest requests, seconds (p95)", query = "histogram_quantile(0.95, sum by (service_name, le) (rate(run_googleapis_com:request_latencies_bucket{service_name=~\"${var.prefix}-.*\"}[15m]))) / 1000" },
  ]
}

resource "google_monitoring_dashboard" "operations" {
  project = local.project
  dashboard_json = jsonencode({
    displayName = "${var.prefix}: operations"
    mosaicLayout = {
      columns = 12
      # a position of 0 is left out by the API, and would differ at every plan
      tiles = [for index, chart in local.charts : merge(
        index % 2 == 0 ? {} : { xPos = 6 },
        index < 2 ? {} : { yPos = floor(index / 2) * 4 },
        {
          width  = 6
          height = 4
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [{ plotType = "LINE", timeSeriesQuery = { prometheusQuery = chart.query } }]
            }
          }
        },
      )]
    }
  })

  depends_on = [google_logging_metric.counter]
}
