# Ceilings, which stop, and a budget, which tells and stops nothing. A ceiling stays when its resource goes, since the API
# has no deletion; and a quota is cut by more than a tenth only where its safety check is passed over.

resource "google_cloud_quotas_quota_preference" "query_usage" {
  count = var.daily_query_quota_tebibytes == null ? 0 : 1

  parent        = "projects/${local.project}"
  name          = "${var.prefix}-query-usage-per-day"
  service       = "bigquery.googleapis.com"
  quota_id      = "QueryUsagePerDay"
  contact_email = var.alert_email

  ignore_safety_checks = "QUOTA_DECREASE_PERCENTAGE_TOO_HIGH"

  quota_config {
    preferred_value = floor(var.daily_query_quota_tebibytes * 1024 * 1024) # MiB
  }
}

resource "google_cloud_quotas_quota_preference" "earth_engine_time" {
  count = var.earth_engine_daily_ceiling == null ? 0 : 1

  parent        = "projects/${local.project}"
  name          = "${var.prefix}-earth-engine-time-per-day"
  service       = "earthengine.googleapis.com"
  quota_id      = var.earth_engine_daily_ceiling.quota_id
  contact_email = var.alert_email

  ignore_safety_checks = "QUOTA_DECREASE_PERCENTAGE_TOO_HIGH"

  quota_config {
    preferred_value = floor(var.earth_engine_daily_ceiling.eecu_hours * 3600) # EECU-seconds
  }
}

data "google_project" "this" {
  count = var.budget == null ? 0 : 1

  project_id = local.project

  depends_on = [time_sleep.apis]
}

resource "google_billing_budget" "monthly" {
  count = var.budget == null ? 0 : 1

  billing_account = var.budget.billing_account
  display_name    = "${var.prefix}: ${var.project}"

  amount {
    specified_amount {
      currency_code = var.budget.currency
      units         = tostring(var.budget.amount)
    }
  }
  budget_filter {
    projects        = ["projects/${data.google_project.this[0].number}"]
    calendar_period = "MONTH"
  }
  dynamic "threshold_rules" {
    for_each = var.budget.thresholds
    content {
      threshold_percent = threshold_rules.value
    }
  }
  dynamic "all_updates_rule" {
    for_each = length(local.channels) == 0 ? [] : [local.channels]
    content {
      monitoring_notification_channels = all_updates_rule.value
    }
  }
}
