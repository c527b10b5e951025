"""Pages of mappings: `mappings` has the list and the settings, `editor` fields, cords, rules and the preview, `versions` what
they said, `copies` what is made of them, `order` which comes first, `files` export and import.
"""
