"""Lease tokens begin with the name of their process."""

from django.db import migrations, models

TOKEN = models.CharField(blank=True, max_length=150)


class Migration(migrations.Migration):
    dependencies = [("verification", "0001_verifications")]
    operations = [migrations.AlterField("verification", "lease_token", TOKEN)]
