"""Lease tokens begin with the name of their process."""

from django.db import migrations, models

TOKEN = models.CharField(blank=True, max_length=150)


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_events")]
    operations = [migrations.AlterField("event", "lease_token", TOKEN)]
