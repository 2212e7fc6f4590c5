locals {
  source_root = "${path.module}/.."

  # The definitions that the code, the embedded stack and the tests read too.
  all_services = jsondecode(file("${path.module}/services.json"))
  messaging    = jsondecode(file("${local.source_root}/shared/messages/subscriptions.json"))
  schedules    = jsondecode(file("${local.source_root}/shared/messages/schedules.json"))
  warehouse    = jsondecode(file("${local.source_root}/shared/warehouse/tables.json"))

  labels = merge({ app = var.prefix }, var.labels)

  # Events are always published; who delivers them is made only where there is somebody to tell, who takes hints only
  # where somebody may send them.
  optional = {
    deliver-event = var.event_url != null || length(local.told_clients) > 0
    hint          = length(var.hint_senders) > 0
  }
  services      = { for name, service in local.all_services : name => service if lookup(local.optional, name, true) }
  subscriptions = { for subscription in local.messaging.subscriptions : subscription.name => subscription if contains(keys(local.services), subscription.name) }
  pushed        = { for name, service in local.services : name => service if contains(keys(local.subscriptions), name) }

  # Pub/Sub reaches the others from within; who calls these two proves by signature or password who they are.
  ingress = { for name in keys(local.services) : name => contains(["register-aoi", "hint"], name) ? "ALLOW_ALL" : "ALLOW_INTERNAL_ONLY" }

  max_instances = { for name, service in local.services : name => lookup(var.max_instances, name, service.max_instances) }

  # Known before the service is made, so that it can be told what tokens must name; Cloud Run accepts it as audience.
  audience = { for name in keys(local.services) : name => "https://${var.region}-${var.project}.cloudfunctions.net/${var.prefix}-${name}" }

  own_settings = {
    project          = local.project
    dataset          = google_bigquery_dataset.landcover.dataset_id
    clients          = local.client_settings
    event_url        = var.event_url
    max_bytes_billed = tostring(var.max_bytes_billed_per_query)
    messaging_prefix = "${var.prefix}-"
  }
  given_settings = { for name, value in var.settings : name => tostring(value) if value != null }
  environment = {
    for name, service in local.services : name => {
      for setting, value in merge(local.given_settings, local.own_settings, {
        push_audience        = local.audience[name]
        push_service_account = local.emails["push"]
      }) : "LANDCOVER_${upper(setting)}" => value if contains(service.settings, setting) && value != null
    }
  }

  coverage_floor       = coalesce(var.settings.coverage_floor, 0.2)
  network_in_summaries = coalesce(var.settings.network_in_summaries, "fill")
}
