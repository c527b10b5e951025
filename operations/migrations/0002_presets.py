"""Filled forms that are kept under a name, and their versions, which outlive them."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0005_connection_admin_key"),
        ("operations", "0001_answers"),
    ]

    operations = [
        migrations.CreateModel(
            name="PresetVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("preset_id", models.BigIntegerField()),
                ("preset_name", models.CharField(max_length=120)),
                ("installation_id", models.BigIntegerField()),
                ("installation_name", models.CharField(max_length=200)),
                ("number", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("actor", models.CharField(max_length=150)),
                ("note", models.CharField(blank=True, max_length=300)),
                ("asked", models.JSONField(default=dict)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("preset_id", "number"), name="preset_version_once")],
            },
        ),
        migrations.CreateModel(
            name="Preset",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("version", models.PositiveIntegerField(default=0)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_call_id", models.UUIDField(null=True)),
                (
                    "installation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="presets",
                        to="connections.installation",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("installation", "name"), name="preset_name_once")],
            },
        ),
    ]
