"""Runs and changes of records name the versions of mappings that made them."""

import django.db.models.deletion
from django.db import migrations, models

ENDED = ["done", "failures", "undecided", "cancelled"]


def name_versions_of_runs(apps, schema_editor):
    """Open pushes go on by the mappings as they are now; ended ones name what made them, if it is what was kept."""
    Run, Mapping = apps.get_model("flows", "Run"), apps.get_model("mappings", "Mapping")
    Version = apps.get_model("mappings", "MappingVersion")
    newest = {}
    for version in Version.objects.order_by("number"):
        newest[version.mapping_id] = version
    for mapping in Mapping.objects.filter(direction="from_hub", pk__in=newest):
        answering = Mapping.objects.filter(
            installation_id=mapping.installation_id, entity=mapping.entity, operation=mapping.operation, task=mapping.task,
            direction="to_hub", active=True,
        ).order_by("order", "pk")  # fmt: skip
        answers = [newest[each.pk].pk for each in answering if each.pk in newest]
        version = newest[mapping.pk]
        runs = Run.objects.filter(mapping=mapping)
        runs.exclude(state__in=ENDED).update(mapping_version=version.number)
        runs.filter(mapping_version=version.number).update(version=version, answers=answers)


def take_over(apps, schema_editor):
    for change in apps.get_model("flows", "RecordChange").objects.exclude(mapping_name="").iterator():
        change.made_by = [[None, f"{change.mapping_name}, version {change.mapping_version}"]]
        change.save(update_fields=["made_by"])


def give_back(apps, schema_editor):
    for change in apps.get_model("flows", "RecordChange").objects.exclude(made_by=[]).iterator():
        change.mapping_name, _, number = change.made_by[-1][1].rpartition(", version ")
        change.mapping_version = int(number)
        change.save(update_fields=["mapping_name", "mapping_version"])


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0007_items_keep_masks"),
        ("mappings", "0004_versions"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="version",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="mappings.mappingversion"
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="answers",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="recordchange",
            name="made_by",
            field=models.JSONField(default=list),
        ),
        migrations.RunPython(name_versions_of_runs, migrations.RunPython.noop),
        migrations.RunPython(take_over, give_back),
        migrations.RemoveField(model_name="recordchange", name="mapping_name"),
        migrations.RemoveField(model_name="recordchange", name="mapping_version"),
    ]
