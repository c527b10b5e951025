"""A flow may send a preset in place of what its mapping makes, and a run keeps the version that it began with."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0005_mode_in_words"),
        ("operations", "0002_presets"),
    ]

    operations = [
        migrations.AddField(
            model_name="flow",
            name="preset",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.RESTRICT, related_name="flows", to="operations.preset"
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="preset",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="operations.presetversion"
            ),
        ),
    ]
