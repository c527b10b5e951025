from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connections", "0005_connection_admin_key")]

    operations = [migrations.AddField("installation", "tasks", models.JSONField(blank=True, default=list))]
