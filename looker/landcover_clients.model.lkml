# The same for people of several clients: each sees the areas whose ids begin with the user attribute landcover_client and a
# dot. Give their role this model and not landcover; give the attribute a value a group, which they may see and not edit.
connection: "@{connection}"

include: "/explores.explore.lkml"

view: +report_monthly {
  dimension: client {
    description: "Client that has the area: its name, before the first dot of the id."
    type: string
    hidden: yes
    sql: IF(STRPOS(${TABLE}.aoi_id, '.') > 0, SPLIT(${TABLE}.aoi_id, '.')[OFFSET(0)], NULL) ;;
  }
}

explore: +report_monthly {
  access_filter: {
    field: report_monthly.client
    user_attribute: landcover_client
  }
}

view: +report_annual {
  dimension: client {
    description: "Client that has the area: its name, before the first dot of the id."
    type: string
    hidden: yes
    sql: IF(STRPOS(${TABLE}.aoi_id, '.') > 0, SPLIT(${TABLE}.aoi_id, '.')[OFFSET(0)], NULL) ;;
  }
}

explore: +report_annual {
  access_filter: {
    field: report_annual.client
    user_attribute: landcover_client
  }
}

view: +report_change {
  dimension: client {
    description: "Client that has the area: its name, before the first dot of the id."
    type: string
    hidden: yes
    sql: IF(STRPOS(${TABLE}.aoi_id, '.') > 0, SPLIT(${TABLE}.aoi_id, '.')[OFFSET(0)], NULL) ;;
  }
}

explore: +report_change {
  access_filter: {
    field: report_change.client
    user_attribute: landcover_client
  }
}

view: +report_patches {
  dimension: client {
    description: "Client that has the area: its name, before the first dot of the id."
    type: string
    hidden: yes
    sql: IF(STRPOS(${TABLE}.aoi_id, '.') > 0, SPLIT(${TABLE}.aoi_id, '.')[OFFSET(0)], NULL) ;;
  }
}

explore: +report_patches {
  access_filter: {
    field: report_patches.client
    user_attribute: landcover_client
  }
}

view: +report_transitions {
  dimension: client {
    description: "Client that has the area: its name, before the first dot of the id."
    type: string
    hidden: yes
    sql: IF(STRPOS(${TABLE}.aoi_id, '.') > 0, SPLIT(${TABLE}.aoi_id, '.')[OFFSET(0)], NULL) ;;
  }
}

explore: +report_transitions {
  access_filter: {
    field: report_transitions.client
    user_attribute: landcover_client
  }
}

view: +report_freshness {
  dimension: client {
    description: "Client that has the area: its name, before the first dot of the id."
    type: string
    hidden: yes
    sql: IF(STRPOS(${TABLE}.aoi_id, '.') > 0, SPLIT(${TABLE}.aoi_id, '.')[OFFSET(0)], NULL) ;;
  }
}

explore: +report_freshness {
  access_filter: {
    field: report_freshness.client
    user_attribute: landcover_client
  }
}

view: +report_areas {
  dimension: client {
    description: "Client that has the area: its name, before the first dot of the id."
    type: string
    hidden: yes
    sql: IF(STRPOS(${TABLE}.aoi_id, '.') > 0, SPLIT(${TABLE}.aoi_id, '.')[OFFSET(0)], NULL) ;;
  }
}

explore: +report_areas {
  access_filter: {
    field: report_areas.client
    user_attribute: landcover_client
  }
}
