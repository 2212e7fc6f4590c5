project_name: "landcover"

constant: connection {
  value: "landcover"
  export: override_optional
}

constant: project {
  value: "my-project"
  export: override_required
}

constant: dataset {
  value: "landcover"
  export: override_optional
}
