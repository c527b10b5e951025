"""Pages of mappings: `mappings` has the list, one mapping and its rules, `versions` what they said, `copies` what is made of
them, `files` export and import, `passing` how many records a filter lets pass."""
