from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connections", "0003_more_limits")]

    operations = [
        migrations.AddField("connection", "stopped_at", models.DateTimeField(blank=True, null=True)),
    ]
