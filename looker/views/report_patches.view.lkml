# report_patches of the BigQuery dataset: a row for each patch of changed ground.
view: report_patches {
  sql_table_name: `@{project}.@{dataset}.report_patches` ;;

  dimension: row_key {
    primary_key: yes
    hidden: yes
    type: string
    sql: CONCAT(${TABLE}.aoi_id, '|', ${TABLE}.patch_id) ;;
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

  dimension: patch_id {
    description: "Id of the patch of changed ground, the same while it grows."
    type: string
    sql: ${TABLE}.patch_id ;;
  }

  dimension: state {
    description: "provisional (three clear views in a row), confirmed (four), withdrawn (the ground is as it was)."
    type: string
    sql: ${TABLE}.state ;;
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

  dimension: area_ha {
    description: "Area of the patch on the ellipsoid, in hectares."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.area_ha ;;
  }

  dimension: still_area_ha {
    description: "Of this, what has not been seen as usual again three times in a row."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.still_area_ha ;;
  }

  dimension: limit_ha {
    description: "The least patch that is told of: by the area's size, and by what was withdrawn in earlier years."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.limit_ha ;;
  }

  dimension: alarm {
    description: "Whether the patch is told of: confirmed or withdrawn, and at least as large as the limit."
    type: yesno
    sql: ${TABLE}.alarm ;;
  }

  dimension_group: happened_after {
    description: "Last view of the patch as usual, the median over its pixels."
    type: time
    timeframes: [time, date, month, year]
    datatype: timestamp
    sql: ${TABLE}.happened_after ;;
  }

  dimension_group: happened_before {
    description: "First view of it as something else, the median over its pixels."
    type: time
    timeframes: [time, date, month, year]
    datatype: timestamp
    sql: ${TABLE}.happened_before ;;
  }

  dimension_group: confirmed_at {
    description: "View that confirmed it."
    type: time
    timeframes: [time, date, month, year]
    datatype: timestamp
    sql: ${TABLE}.confirmed_at ;;
  }

  dimension_group: withdrawn_at {
    description: "View after which most of it was as usual again."
    type: time
    timeframes: [time, date, month, year]
    datatype: timestamp
    sql: ${TABLE}.withdrawn_at ;;
  }

  dimension: longitude {
    description: "Of its centroid, in degrees."
    type: number
    sql: ${TABLE}.longitude ;;
  }

  dimension: latitude {
    description: "Of its centroid, in degrees."
    type: number
    sql: ${TABLE}.latitude ;;
  }

  dimension: outline {
    description: "GeoJSON Polygon along pixel edges; the view patch_shapes has it as a geography."
    type: string
    hidden: yes
    sql: ${TABLE}.outline ;;
  }

  dimension_group: compared_from {
    description: "First view of the twelve months before it that it is compared with; null while it is not."
    type: time
    timeframes: [time, date, month, year]
    datatype: timestamp
    sql: ${TABLE}.compared_from ;;
  }

  dimension_group: compared_until {
    description: "Last view of the twelve months after it, or of as many as its year is watched; null while it is not compared."
    type: time
    timeframes: [time, date, month, year]
    datatype: timestamp
    sql: ${TABLE}.compared_until ;;
  }

  dimension: supported_area_ha {
    description: "Of the mapped ground, patches of 0.5 ha or more on which both classes' mean probabilities moved by least_move; of a patch, in it and within 100 m, by 0.15 from the months before it to those after."
    type: number
    value_format_name: decimal_2
    sql: ${TABLE}.supported_area_ha ;;
  }

  measure: count {
    type: count
    drill_fields: [aoi_id, patch_id, from_class_name, to_class_name, area_ha, confirmed_at_date]
  }

  measure: total_area_ha {
    description: "Hectares of patches together."
    type: sum
    value_format_name: decimal_2
    sql: ${TABLE}.area_ha ;;
  }
}
