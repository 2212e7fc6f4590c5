# report_change of the BigQuery dataset: each month beside the same month of earlier years, a row a class.
view: report_change {
  sql_table_name: `@{project}.@{dataset}.report_change` ;;

  dimension: row_key {
    primary_key: yes
    hidden: yes
    type: string
    sql: CONCAT(${TABLE}.aoi_id, '|', CAST(${TABLE}.month AS STRING), '|', CAST(${TABLE}.class_id AS STRING)) ;;
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

  dimension_group: month {
    description: "First day of the month."
    type: time
    timeframes: [month, quarter, year]
    convert_tz: no
    datatype: date
    sql: ${TABLE}.month ;;
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

  dimension: mean_coverage {
    description: "Mean share of the AOI that the used observations saw, 0 to 1."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.mean_coverage ;;
  }

  dimension: composite_share {
    description: "Share in the mode composite, 0 to 1."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.composite_share ;;
  }

  dimension: baseline_years {
    description: "Earlier years in which the same month was seen well."
    type: number
    value_format_name: id
    sql: ${TABLE}.baseline_years ;;
  }

  dimension: baseline_share {
    description: "Mean composite share of the same month in those years, 0 to 1."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.baseline_share ;;
  }

  dimension: baseline_min_share {
    description: "Smallest of them."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.baseline_min_share ;;
  }

  dimension: baseline_max_share {
    description: "Largest of them."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.baseline_max_share ;;
  }

  dimension: change_share {
    description: "Composite share less baseline_share."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.change_share ;;
  }

  dimension: change_area_ha {
    description: "The same as area of the AOI, in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.change_area_ha ;;
  }

  dimension: expected_change_share {
    description: "Change of the expected (probability) share since the mean of those years."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.expected_change_share ;;
  }

  dimension: expected_change_area_ha {
    description: "The same as area of the AOI, in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.expected_change_area_ha ;;
  }

  measure: average_change_share {
    label: "Change of share"
    type: average
    value_format_name: percent_2
    sql: ${TABLE}.change_share ;;
  }
}
