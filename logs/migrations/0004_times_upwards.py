from django.db import migrations, models

# Index name: the columns before the time.
TIMES = {
    "call_time": [],
    "call_installation_time": ["installation_id"],
    "call_state_time": ["state"],
    "call_operation_time": ["operation"],
    "call_model_time": ["model"],
    "call_cause_time": ["cause"],
}


def upwards(name, columns):
    return [
        migrations.RemoveIndex(model_name="call", name=name),
        migrations.AddIndex(model_name="call", index=models.Index(fields=[*columns, "created_at", "id"], name=name)),
    ]


class Migration(migrations.Migration):
    dependencies = [("logs", "0003_call_tags")]
    operations = [step for name, columns in TIMES.items() for step in upwards(name, columns)]
