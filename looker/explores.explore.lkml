# What models offer: landcover all of it, landcover_clients each client's own.
include: "/views/*.view.lkml"

explore: report_monthly {
  label: "Land cover by month"
  description: "One row for each area, month and class."
  always_filter: {
    filters: [report_monthly.month_year: "1 year"]
  }
}

explore: report_annual {
  label: "Land cover by year"
  description: "One row for each area, year and class."
}

explore: report_patches {
  label: "Changed ground"
  description: "One row for each patch of ground that left its usual class, provisional, confirmed or withdrawn."
}

explore: report_transitions {
  label: "What became what"
  description: "One row for each area, pair of years and pair of classes: as mapped, and what of it is supported."
}

explore: report_change {
  label: "Months compared"
  description: "Each month beside the same month of earlier years, a row for each area and class."
}

explore: report_freshness {
  label: "Freshness"
  description: "One row for each area: its last usable view, why later passes gave nothing, the next pass."
}

explore: report_areas {
  label: "Unbiased areas"
  description: "From reference samples: one row for each area, period and class, change or transition."
}
