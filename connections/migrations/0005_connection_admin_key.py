from django.db import migrations, models

import connections.sealing


class Migration(migrations.Migration):
    dependencies = [("connections", "0004_connection_stopped_at")]

    operations = [
        migrations.AddField("connection", "admin_key", connections.sealing.SealedTextField(blank=True, default="")),
        migrations.AddField("connection", "admin_key_last4", models.CharField(blank=True, max_length=4)),
        migrations.AddField("connection", "admin_key_set_at", models.DateTimeField(blank=True, null=True)),
    ]
