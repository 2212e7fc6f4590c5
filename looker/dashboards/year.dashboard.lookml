- dashboard: land_cover_year
  title: Land cover, the year of one area
  layout: newspaper
  preferred_viewer: dashboards-next
  filters:
  - name: area
    title: Area
    type: field_filter
    model: landcover
    explore: report_monthly
    field: report_monthly.aoi_id
    required: true
  - name: year
    title: Year
    type: field_filter
    model: landcover
    explore: report_monthly
    field: report_monthly.month_year
    default_value: last year
  elements:
  - name: by_month
    title: Composite share by month
    model: landcover
    explore: report_monthly
    type: looker_column
    fields: [report_monthly.month_month, report_monthly.class_name, report_monthly.average_composite_share]
    pivots: [report_monthly.class_name]
    sorts: [report_monthly.month_month]
    stacking: normal
    series_colors:
      "water - report_monthly.average_composite_share": "#419BDF"
      "trees - report_monthly.average_composite_share": "#397D49"
      "grass - report_monthly.average_composite_share": "#88B053"
      "flooded_vegetation - report_monthly.average_composite_share": "#7A87C6"
      "crops - report_monthly.average_composite_share": "#E49635"
      "shrub_and_scrub - report_monthly.average_composite_share": "#DFC35A"
      "built - report_monthly.average_composite_share": "#C4281B"
      "bare - report_monthly.average_composite_share": "#A59B8F"
      "snow_and_ice - report_monthly.average_composite_share": "#B39FE1"
    listen:
      area: report_monthly.aoi_id
      year: report_monthly.month_year
    row: 0
    col: 0
    width: 16
    height: 9
  - name: coverage
    title: Coverage by month
    model: landcover
    explore: report_monthly
    type: looker_line
    fields: [report_monthly.month_month, report_monthly.average_mean_coverage]
    sorts: [report_monthly.month_month]
    listen:
      area: report_monthly.aoi_id
      year: report_monthly.month_year
    row: 0
    col: 16
    width: 8
    height: 9
  - name: years
    title: Composite and mean by year
    model: landcover
    explore: report_annual
    type: looker_grid
    fields: [report_annual.year, report_annual.class_name, report_annual.average_composite_share, report_annual.average_mean_share, report_annual.total_composite_area_ha]
    sorts: [report_annual.year desc, report_annual.class_name]
    listen:
      area: report_annual.aoi_id
    row: 9
    col: 0
    width: 24
    height: 8
