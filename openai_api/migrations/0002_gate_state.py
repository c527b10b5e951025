"""Permits of ended attempts give way to tallies, and holds are new. Permits live for seconds: none is carried over."""

from django.db import migrations, models

import logs.ids


class Migration(migrations.Migration):
    dependencies = [("openai_api", "0001_permits")]

    operations = [
        migrations.DeleteModel("Permit"),
        migrations.CreateModel(
            name="Permit",
            fields=[
                ("id", models.UUIDField(default=logs.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=80)),
                ("hold_key", models.CharField(blank=True, max_length=200)),
                ("rank", models.BigIntegerField(default=0)),
                ("call_id", models.UUIDField(null=True)),
                ("attempt", models.PositiveIntegerField(default=1)),
                ("holder", models.CharField(max_length=200)),
                ("state", models.CharField(default="waiting", max_length=8)),
                ("counted", models.BooleanField(default=True)),
                ("tokens", models.BigIntegerField(default=0)),
                ("cost", models.BigIntegerField(default=0)),
                ("seconds", models.FloatField()),
                ("not_before", models.FloatField()),
                ("lease_until", models.FloatField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["key", "state", "rank"], name="permit_line"),
                    models.Index(fields=["holder", "state"], name="permit_holder"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=80)),
                ("kind", models.CharField(max_length=20)),
                ("until", models.BigIntegerField()),
                ("amount", models.BigIntegerField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["key", "kind", "until"], name="tally_once")],
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=200)),
                ("kind", models.CharField(max_length=12)),
                ("until", models.FloatField()),
                ("left_over", models.BigIntegerField(default=0)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("since", models.FloatField(default=0)),
                ("code", models.CharField(blank=True, max_length=80)),
                ("words", models.TextField(blank=True)),
                ("call_id", models.UUIDField(null=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["key", "kind"], name="hold_once")],
            },
        ),
    ]
