"""From a schema of the catalogue to fields of a form and back. Nothing here knows Django.

typed     what was typed, as a flat table, and the value it stands for
checks    what is wrong with a value, beside which field
editing   rows and parts added and removed
drawing   the fields of a form, ready for a template
sending   a value as query or as multipart form
"""
