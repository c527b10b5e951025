"""Pages of mappings: `mappings` has the list and the settings, `editor` fields, cords, rules and the preview."""
