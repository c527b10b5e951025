import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import logs.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("connections", "0004_connection_stopped_at"),
    ]

    operations = [
        migrations.CreateModel(
            name="Answer",
            fields=[
                ("id", models.UUIDField(default=logs.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(null=True)),
                ("actor", models.CharField(max_length=150)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("sending", "Sending"),
                            ("done", "Answered"),
                            ("failed", "Failed"),
                            ("cancelled", "Stopped"),
                        ],
                        default="sending",
                        max_length=12,
                    ),
                ),
                ("asked", models.JSONField(default=dict)),
                ("call_id", models.UUIDField(null=True)),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("headers", models.JSONField(default=dict)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("whole", models.BooleanField(default=False)),
                ("shown", models.JSONField(default=dict)),
                ("debug", models.TextField(blank=True)),
                ("error", models.TextField(blank=True)),
                ("error_code", models.CharField(blank=True, max_length=80)),
                ("help_code", models.CharField(blank=True, max_length=12)),
                (
                    "installation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="connections.installation"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="answer_time")],
            },
        ),
    ]
