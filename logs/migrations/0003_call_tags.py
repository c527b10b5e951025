"""Words that whoever asked for a call wants to find it by."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("logs", "0002_cause_time")]

    operations = [
        migrations.AddField(
            "call", "tags", models.CharField(blank=True, default="", max_length=220), preserve_default=False
        ),
    ]
