"""Pages of mappings: `mappings` has the list, one mapping and its rules, `versions` what they said, `copies` what is made of
them, `order` which comes first, `files` export and import."""
