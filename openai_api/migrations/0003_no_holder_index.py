from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("openai_api", "0002_gate_state")]
    operations = [migrations.RemoveIndex(model_name="permit", name="permit_holder")]
