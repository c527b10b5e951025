from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("logs", "0001_calls")]
    operations = [
        migrations.AddIndex(
            model_name="call",
            index=models.Index(fields=["cause", "-created_at", "-id"], name="call_cause_time"),
        ),
    ]
