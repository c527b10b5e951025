"""A verification may have passed in part, or tried nothing."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("verification", "0002_longer_tokens"),
    ]

    operations = [
        migrations.AlterField(
            model_name="verification",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "In line"),
                    ("running", "Running"),
                    ("passed", "Passed"),
                    ("partly", "Passed in part"),
                    ("failed", "Failed"),
                    ("skipped", "Nothing tried"),
                ],
                default="queued",
                max_length=10,
            ),
        ),
    ]
