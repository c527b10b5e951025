from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connections", "0002_connection_retest_at")]

    operations = [
        migrations.AddField("connection", "stopped_at", models.DateTimeField(blank=True, null=True)),
    ]
