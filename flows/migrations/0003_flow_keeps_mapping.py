"""A mapping that a flow puts to work can't be deleted before the flow."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("flows", "0002_entities"), ("mappings", "0001_mappings")]
    operations = [
        migrations.AlterField(
            model_name="flow",
            name="mapping",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.RESTRICT, related_name="flows", to="mappings.mapping"
            ),
        ),
    ]
