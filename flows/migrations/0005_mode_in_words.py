"""Records of a synchronous push are sent several at once, so its name says what it does wait for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("flows", "0004_longer_tokens")]
    operations = [
        migrations.AlterField(
            "run",
            "mode",
            models.CharField(
                choices=[("sync", "Wait for each answer"), ("background", "In the background")],
                default="sync",
                max_length=12,
            ),
        )
    ]
