"""Mappings keep their versions, the first of which is what each says now; rules can be switched off."""

import django.utils.timezone
from django.db import migrations, models

MAPPING_FIELDS = (
    "name", "entity", "direction", "operation", "task", "sync_type", "filter", "error_filter", "protection", "description",
    "order", "active",
)  # fmt: skip
RULE_FIELDS = ("kind", "target", "source", "default", "required", "update_mode", "value_type", "lookup", "active")


def keep_versions(apps, schema_editor):
    Mapping, Rule = apps.get_model("mappings", "Mapping"), apps.get_model("mappings", "Rule")
    Version = apps.get_model("mappings", "MappingVersion")
    for mapping in Mapping.objects.select_related("installation"):
        rules = Rule.objects.filter(mapping=mapping).order_by("order", "pk")
        said = {name: getattr(mapping, name) for name in MAPPING_FIELDS}
        said["rules"] = [{name: getattr(rule, name) for name in RULE_FIELDS} for rule in rules]
        Version.objects.create(
            mapping_id=mapping.pk,
            mapping_name=mapping.name,
            installation_id=mapping.installation_id,
            installation_name=mapping.installation.name,
            number=mapping.version,
            created_at=mapping.changed_at,
            actor="Patchbay",
            note="As it was when versions began to be kept.",
            said=said,
        )


class Migration(migrations.Migration):
    dependencies = [("mappings", "0003_structured_answers")]

    operations = [
        migrations.AddField(
            model_name="rule",
            name="active",
            field=models.BooleanField(default=True),
        ),
        migrations.CreateModel(
            name="MappingVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("installation_id", models.BigIntegerField()),
                ("installation_name", models.CharField(max_length=200)),
                ("number", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("actor", models.CharField(max_length=150)),
                ("note", models.CharField(blank=True, max_length=300)),
                ("mapping_id", models.BigIntegerField()),
                ("mapping_name", models.CharField(max_length=120)),
                ("said", models.JSONField(default=dict)),
            ],
        ),
        migrations.AddConstraint(
            model_name="mappingversion",
            constraint=models.UniqueConstraint(fields=("mapping_id", "number"), name="mapping_version_once"),
        ),
        migrations.RunPython(keep_versions, migrations.RunPython.noop),
    ]
