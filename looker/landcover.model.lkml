connection: "@{connection}"

include: "/explores.explore.lkml"
include: "/dashboards/*.dashboard.lookml"
