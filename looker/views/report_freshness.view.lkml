# report_freshness of the BigQuery dataset: a row for each area, how fresh it is and why.
view: report_freshness {
  sql_table_name: `@{project}.@{dataset}.report_freshness` ;;

  dimension: row_key {
    primary_key: yes
    hidden: yes
    type: string
    sql: ${TABLE}.aoi_id ;;
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

  dimension_group: last_usable_at {
    description: "Sensing time of the last view with coverage at or above the floor."
    type: time
    timeframes: [time, date, week]
    datatype: timestamp
    sql: ${TABLE}.last_usable_at ;;
  }

  dimension: last_usable_coverage {
    description: "Share of the AOI that it saw, 0 to 1."
    type: number
    value_format_name: percent_2
    sql: ${TABLE}.last_usable_coverage ;;
  }

  dimension_group: last_attempt_at {
    description: "When the AOI was last measured, or last failed to be."
    type: time
    timeframes: [time, date, week]
    datatype: timestamp
    sql: ${TABLE}.last_attempt_at ;;
  }

  dimension_group: last_pass_at {
    description: "Sensing time of the last known Sentinel-2 pass."
    type: time
    timeframes: [time, date, week]
    datatype: timestamp
    sql: ${TABLE}.last_pass_at ;;
  }

  dimension: last_pass_fate {
    description: "What became of it: usable, masked, failed, too cloudy, not published."
    type: string
    sql: ${TABLE}.last_pass_fate ;;
  }

  dimension: passes_since_usable {
    description: "Passes after the last usable view."
    type: number
    value_format_name: id
    sql: ${TABLE}.passes_since_usable ;;
  }

  dimension: masked_since_usable {
    description: "Of these, measured but clouded over the AOI."
    type: number
    value_format_name: id
    sql: ${TABLE}.masked_since_usable ;;
  }

  dimension: cloudy_since_usable {
    description: "Of these, with more than 35 % cloud in every scene: Dynamic World leaves them out."
    type: number
    value_format_name: id
    sql: ${TABLE}.cloudy_since_usable ;;
  }

  dimension: unpublished_since_usable {
    description: "Of these, clear enough, but without an image that was measured yet."
    type: number
    value_format_name: id
    sql: ${TABLE}.unpublished_since_usable ;;
  }

  dimension: failed_since_usable {
    description: "Of these, failed for good; dead_letters has the reason."
    type: number
    value_format_name: id
    sql: ${TABLE}.failed_since_usable ;;
  }

  dimension: latest_passes {
    description: "The last five passes in words, newest first."
    type: string
    sql: ${TABLE}.latest_passes ;;
  }

  dimension_group: next_pass_at {
    description: "When the next pass is due: ten days after the earliest of the last ten days."
    type: time
    timeframes: [time, date, week]
    datatype: timestamp
    sql: ${TABLE}.next_pass_at ;;
  }

  measure: areas {
    type: count
  }

  measure: oldest_view {
    description: "The earliest last usable view among the areas."
    type: date
    sql: MIN(${TABLE}.last_usable_at) ;;
  }
}
