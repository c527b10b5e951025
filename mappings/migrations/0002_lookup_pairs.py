from django.db import migrations, models


def to_pairs(apps, schema_editor):
    Rule = apps.get_model("mappings", "Rule")
    for rule in Rule.objects.all():
        if isinstance(rule.lookup, dict):
            rule.lookup = [list(pair) for pair in rule.lookup.items()]
            rule.save(update_fields=["lookup"])


class Migration(migrations.Migration):
    dependencies = [("mappings", "0001_mappings")]

    operations = [
        migrations.AlterField(
            model_name="rule",
            name="lookup",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.RunPython(to_pairs, migrations.RunPython.noop),
    ]
