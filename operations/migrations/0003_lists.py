import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import logs.context
import logs.ids


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0005_connection_admin_key"),
        ("operations", "0002_presets"),
    ]

    operations = [
        migrations.CreateModel(
            name="Listing",
            fields=[
                ("id", models.UUIDField(default=logs.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("queued_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("actor", models.CharField(max_length=150)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "In line"),
                            ("reading", "Reading"),
                            ("done", "Done"),
                            ("failed", "Broke off"),
                            ("stopped", "Stopped"),
                        ],
                        default="queued",
                        max_length=12,
                    ),
                ),
                ("asked", models.JSONField(default=dict)),
                ("parameter", models.CharField(max_length=12)),
                ("most_items", models.PositiveIntegerField()),
                ("most_pages", models.PositiveIntegerField()),
                ("items", models.PositiveIntegerField(default=0)),
                ("pages", models.PositiveIntegerField(default=0)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("cursor", models.TextField(blank=True)),
                ("seen", models.JSONField(default=list)),
                ("more", models.BooleanField(default=True)),
                ("note", models.TextField(blank=True)),
                ("help_code", models.CharField(blank=True, max_length=12)),
                ("correlation_id", models.CharField(default=logs.context.new_correlation, max_length=40)),
                ("lease_token", models.CharField(blank=True, max_length=150)),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "installation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="connections.installation"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="listing_time")],
            },
        ),
    ]
