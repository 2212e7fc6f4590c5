# report_annual of the BigQuery dataset: one row for each AOI, year and class.
view: report_annual {
  sql_table_name: `@{project}.@{dataset}.report_annual` ;;

  dimension: row_key {
    primary_key: yes
    hidden: yes
    type: string
    sql: CONCAT(${TABLE}.aoi_id, '|', CAST(${TABLE}.year AS STRING), '|', CAST(${TABLE}.class_id AS STRING)) ;;
  }

  dimension: aoi_id {
    description: "Id of the area, as registered."
    type: string
    sql: ${TABLE}.aoi_id ;;
  }

  dimension: aoi_version {
    description: "Version of the area's geometry; views show the current one."
    type: number
    value_format_name: id
    hidden: yes
    sql: ${TABLE}.aoi_version ;;
  }

  dimension: aoi_label {
    description: "Name of the area, where it has one."
    type: string
    sql: ${TABLE}.aoi_label ;;
  }

  dimension: aoi_tags {
    description: "Tags of the area, joined by comma and blank."
    type: string
    sql: ${TABLE}.aoi_tags ;;
  }

  dimension: aoi_area_ha {
    description: "Area of the AOI on the ellipsoid, in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.aoi_area_ha ;;
  }

  dimension: aoi_area_km2 {
    description: "Area of the AOI on the ellipsoid, in km²."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.aoi_area_km2 ;;
  }

  dimension: year {
    description: "Calendar year."
    type: number
    value_format_name: id
    sql: ${TABLE}.year ;;
  }

  dimension: months_observed {
    description: "Months with a usable view."
    type: number
    value_format_name: id
    sql: ${TABLE}.months_observed ;;
  }

  dimension: months_filled {
    description: "Months without a usable view that mean_share takes from the four years before."
    type: number
    value_format_name: id
    sql: ${TABLE}.months_filled ;;
  }

  dimension: class_id {
    description: "Dynamic World class, 0 to 8."
    type: number
    value_format_name: id
    hidden: yes
    sql: ${TABLE}.class_id ;;
  }

  dimension: class_name {
    description: "Name of the class."
    type: string
    order_by_field: class_id
    sql: ${TABLE}.class_name ;;
  }

  dimension: class_colour {
    description: "Official colour of the class, as #RRGGBB."
    type: string
    hidden: yes
    sql: ${TABLE}.class_colour ;;
  }

  dimension: observation_count {
    description: "Observations used: coverage at or above the floor."
    type: number
    value_format_name: id
    sql: ${TABLE}.observation_count ;;
  }

  dimension: skipped_count {
    description: "Observations left out for low coverage."
    type: number
    value_format_name: id
    sql: ${TABLE}.skipped_count ;;
  }

  dimension: network_count {
    description: "Of the observations used, how many the network classified."
    type: number
    value_format_name: id
    sql: ${TABLE}.network_count ;;
  }

  dimension: mean_coverage {
    description: "Mean share of the AOI that the used observations saw, 0 to 1."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.mean_coverage ;;
  }

  dimension: seen_share {
    description: "Share of the AOI that the composite saw, or a view of it, 0 to 1."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.seen_share ;;
  }

  dimension: effective_views {
    description: "How many views of equal coverage would say as much as those used (Kish)."
    type: number
    value_format_name: decimal_1
    sql: ${TABLE}.effective_views ;;
  }

  dimension: quality {
    description: "good (0.9 of the AOI or more seen, by what says as much as two whole views); thin (less than 0.7, or less than one and a half views); fair (between them); none."
    type: string
    sql: ${TABLE}.quality ;;
  }

  dimension: mean_share {
    description: "Mean over time of the class share of the whole AOI, 0 to 1: each pixel counts once, as it was seen last where cloud hid it."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.mean_share ;;
  }

  dimension: mean_area_ha {
    description: "mean_share of the whole AOI, in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.mean_area_ha ;;
  }

  dimension: mean_area_km2 {
    description: "mean_share of the whole AOI, in km²."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.mean_area_km2 ;;
  }

  dimension: mean_seen_share {
    description: "Mean over time of the class share of what each view saw, 0 to 1: leans where cloud does."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.mean_seen_share ;;
  }

  dimension: mean_seen_area_ha {
    description: "Mean label area as seen, in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.mean_seen_area_ha ;;
  }

  dimension: probability_share {
    description: "Mean of probability area by area seen, 0 to 1."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.probability_share ;;
  }

  dimension: composite_share {
    description: "Share in the mode composite, 0 to 1."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.composite_share ;;
  }

  dimension: composite_area_ha {
    description: "Area in the mode composite, in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.composite_area_ha ;;
  }

  dimension: composite_area_km2 {
    description: "Area in the mode composite, in km²."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.composite_area_km2 ;;
  }

  dimension: settled_share {
    description: "Share in the composite with ties and gaps settled, 0 to 1: of a month by the year before it, of a year by mean probabilities."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.settled_share ;;
  }

  dimension: settled_area_ha {
    description: "settled_share of the whole AOI, in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.settled_area_ha ;;
  }

  dimension: settled_area_km2 {
    description: "settled_share of the whole AOI, in km²."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.settled_area_km2 ;;
  }

  measure: average_composite_share {
    label: "Composite share"
    type: average
    value_format_name: percent_2
    sql: ${TABLE}.composite_share ;;
  }

  measure: average_mean_share {
    label: "Mean share"
    type: average
    value_format_name: percent_2
    sql: ${TABLE}.mean_share ;;
  }

  measure: average_mean_coverage {
    label: "Coverage"
    type: average
    value_format_name: percent_2
    sql: ${TABLE}.mean_coverage ;;
  }

  measure: total_composite_area_ha {
    label: "Composite area, ha"
    description: "Adds up over areas and classes; choose one year."
    type: sum
    value_format_name: decimal_2
    sql: ${TABLE}.composite_area_ha ;;
  }

  measure: total_composite_area_km2 {
    label: "Composite area, km²"
    description: "Adds up over areas and classes; choose one year."
    type: sum
    value_format_name: decimal_2
    sql: ${TABLE}.composite_area_km2 ;;
  }
}
