from django.db import migrations, models

KINDS = [
    ("field", "Field"),
    ("static", "Static"),
    ("formula", "Formula"),
    ("lookup", "Lookup"),
    ("template", "Template"),
]
VALUE_TYPES = [
    ("", "Any"),
    ("text", "Text"),
    ("number", "Number"),
    ("integer", "Whole number"),
    ("boolean", "True or false"),
    ("date", "Date"),
    ("texts", "List of texts"),
    ("numbers", "List of numbers"),
    ("pairs", "List of names and values"),
]


class Migration(migrations.Migration):
    dependencies = [("mappings", "0002_lookup_pairs")]

    operations = [
        migrations.AddField("mapping", "task", models.CharField(blank=True, default="", max_length=80)),
        migrations.AddField("mapping", "protection", models.JSONField(blank=True, default=list)),
        migrations.AddField(
            "rule", "value_type", models.CharField(blank=True, choices=VALUE_TYPES, default="", max_length=10)
        ),
        migrations.AlterField("rule", "kind", models.CharField(choices=KINDS, default="field", max_length=10)),
    ]
