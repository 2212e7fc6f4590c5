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

  dimension: quality {
    description: "good; thin (fewer than two observations, or less than half of the AOI seen on average); none."
    type: string
    sql: ${TABLE}.quality ;;
  }

  dimension: mean_share {
    description: "Mean over time of the class share of the ground seen, 0 to 1."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.mean_share ;;
  }

  dimension: mean_area_ha {
    description: "Mean label area as seen, in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.mean_area_ha ;;
  }

  dimension: mean_area_km2 {
    description: "Mean label area as seen, in km²."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.mean_area_km2 ;;
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
