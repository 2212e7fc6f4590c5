# report_transitions of the BigQuery dataset: a row for each pair of years and of classes.
view: report_transitions {
  sql_table_name: `@{project}.@{dataset}.report_transitions` ;;

  dimension: row_key {
    primary_key: yes
    hidden: yes
    type: string
    sql: CONCAT(${TABLE}.aoi_id, '|', CAST(${TABLE}.from_year AS STRING), '|', CAST(${TABLE}.to_year AS STRING), '|', CAST(${TABLE}.from_class_id AS STRING), '|', CAST(${TABLE}.to_class_id AS STRING)) ;;
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

  dimension: to_year {
    description: "Later of the two years."
    type: number
    value_format_name: id
    sql: ${TABLE}.to_year ;;
  }

  dimension: compared_with {
    description: "previous (a year with the last one seen before it) or baseline (with the baseline year)."
    type: string
    sql: ${TABLE}.compared_with ;;
  }

  dimension: from_class_id {
    description: "Dynamic World class before; of a patch the usual one of its pixels."
    type: number
    value_format_name: id
    hidden: yes
    sql: ${TABLE}.from_class_id ;;
  }

  dimension: from_class_name {
    description: "Name of that class."
    type: string
    sql: ${TABLE}.from_class_name ;;
  }

  dimension: to_class_id {
    description: "Dynamic World class after; of a patch what was seen most since."
    type: number
    value_format_name: id
    hidden: yes
    sql: ${TABLE}.to_class_id ;;
  }

  dimension: to_class_name {
    description: "Name of that class."
    type: string
    sql: ${TABLE}.to_class_name ;;
  }

  dimension: mapped_area_ha {
    description: "Area in the map, in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.mapped_area_ha ;;
  }

  dimension: alike_mapped_area_ha {
    description: "mapped_area_ha between the two years of the area that are most alike: what a quiet year looks like."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.alike_mapped_area_ha ;;
  }

  dimension: alike_from_year {
    description: "The earlier of those two years; null while fewer than two consecutive pairs were seen well."
    type: number
    value_format_name: id
    sql: ${TABLE}.alike_from_year ;;
  }

  dimension: alike_to_year {
    description: "The later of them."
    type: number
    value_format_name: id
    sql: ${TABLE}.alike_to_year ;;
  }

  dimension: supported_area_ha {
    description: "Of the mapped ground, patches of 0.5 ha or more on which both classes' mean probabilities moved by least_move; of a patch, in it and within 100 m, by 0.15 from the months before it to those after."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.supported_area_ha ;;
  }

  dimension: least_move {
    description: "By how much they must have moved (Δ): 0.15, 0.2, 0.25 or 0.3; null where scenes carry labels only."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.least_move ;;
  }

  dimension: calibrated {
    description: "Whether Δ was found by the area's most alike years; otherwise it is 0.2."
    type: yesno
    sql: ${TABLE}.calibrated ;;
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

  dimension: seen_in_both_ha {
    description: "Ground that was seen in both years, in hectares: what all cells add up to."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.seen_in_both_ha ;;
  }

  dimension: seen_in_both_share {
    description: "Its share of the area, 0 to 1."
    type: number
    value_format_name: percent_1
    sql: ${TABLE}.seen_in_both_share ;;
  }

  measure: total_mapped_area_ha {
    description: "Hectares as mapped, together."
    type: sum
    value_format_name: decimal_2
    sql: ${TABLE}.mapped_area_ha ;;
  }

  measure: total_supported_area_ha {
    description: "Hectares of supported change, together."
    type: sum
    value_format_name: decimal_2
    sql: ${TABLE}.supported_area_ha ;;
  }

  measure: count {
    type: count
    drill_fields: [aoi_id, from_year, to_year, from_class_name, to_class_name, supported_area_ha]
  }
}
