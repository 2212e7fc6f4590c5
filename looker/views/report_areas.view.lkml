# report_areas of the BigQuery dataset: unbiased areas from reference samples, a row for each class, change or transition.
view: report_areas {
  sql_table_name: `@{project}.@{dataset}.report_areas` ;;

  dimension: row_key {
    primary_key: yes
    hidden: yes
    type: string
    sql: CONCAT(${TABLE}.sample_id, '|', ${TABLE}.quantity, '|', IFNULL(${TABLE}.from_class_name, ''), '|', IFNULL(${TABLE}.class_name, '')) ;;
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

  dimension: from_year {
    description: "Earlier of two years that are compared."
    type: number
    value_format_name: id
    sql: ${TABLE}.from_year ;;
  }

  dimension: year {
    description: "Calendar year."
    type: number
    value_format_name: id
    sql: ${TABLE}.year ;;
  }

  dimension: quantity {
    description: "class, change (all of it) or transition (one class that became another)."
    type: string
    sql: ${TABLE}.quantity ;;
  }

  dimension: from_class_name {
    description: "Name of the class before, for transitions."
    type: string
    sql: ${TABLE}.from_class_name ;;
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

  dimension: sample_id {
    description: "Reference sample that the estimate rests on."
    type: string
    sql: ${TABLE}.sample_id ;;
  }

  dimension: points {
    description: "Points of the sample."
    type: number
    value_format_name: id
    sql: ${TABLE}.points ;;
  }

  dimension: mapped_area_ha {
    description: "Area in the map, in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.mapped_area_ha ;;
  }

  dimension: estimated_area_ha {
    description: "Unbiased estimate of the area, in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.estimated_area_ha ;;
  }

  dimension: half_width_ha {
    description: "Half of its 95 % interval, in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.half_width_ha ;;
  }

  dimension: careful_half_width_ha {
    description: "The same where some stratum has fewer than five such points, by (x + ½) / (n + 1)."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.careful_half_width_ha ;;
  }

  dimension: missed_at_most_ha {
    description: "What strata without such a point may hold all the same (95 %), in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.missed_at_most_ha ;;
  }

  dimension: regression_area_ha {
    description: "Estimate with the help of the mean probabilities, in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.regression_area_ha ;;
  }

  dimension: regression_half_width_ha {
    description: "Half of its 95 % interval, in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.regression_half_width_ha ;;
  }

  dimension: users_accuracy {
    description: "Share of the mapped class that is this class, 0 to 1."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.users_accuracy ;;
  }

  dimension: users_half_width {
    description: "Half of its 95 % interval."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.users_half_width ;;
  }

  dimension: producers_accuracy {
    description: "Share of the class that is mapped as such, 0 to 1."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.producers_accuracy ;;
  }

  dimension: producers_half_width {
    description: "Half of its 95 % interval."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.producers_half_width ;;
  }

  dimension: overall_accuracy {
    description: "Share of the ground seen whose class is right, 0 to 1."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.overall_accuracy ;;
  }

  dimension: overall_half_width {
    description: "Half of its 95 % interval."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.overall_half_width ;;
  }

  dimension_group: estimated_at {
    description: "When the estimate was made."
    type: time
    timeframes: [time, date]
    sql: ${TABLE}.estimated_at ;;
  }

  measure: total_estimated_area_ha {
    label: "Estimated area (ha)"
    type: sum
    value_format_name: decimal_2
    sql: ${TABLE}.estimated_area_ha ;;
  }
}
