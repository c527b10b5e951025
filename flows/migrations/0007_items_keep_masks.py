from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("flows", "0006_flow_sends_preset")]

    operations = [
        migrations.AddField("item", "masks", models.JSONField(blank=True, default=dict)),
        migrations.AddField("item", "unlogged", models.JSONField(blank=True, default=list)),
    ]
