# Telling when money is spent; a budget stops nothing. What stops: the ceilings of queries, instances and Earth Engine.

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
