"""Lease tokens begin with the name of their process."""

from django.db import migrations, models

TOKEN = models.CharField(blank=True, max_length=150)


class Migration(migrations.Migration):
    dependencies = [("flows", "0003_flow_keeps_mapping")]
    operations = [migrations.AlterField(name, "lease_token", TOKEN) for name in ("run", "item")]
