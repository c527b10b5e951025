import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("connections", "0001_connections"),
    ]

    operations = [
        migrations.CreateModel(
            name="Mapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("entity", models.CharField(max_length=60)),
                (
                    "direction",
                    models.CharField(choices=[("from_hub", "From hub"), ("to_hub", "To hub")], max_length=10),
                ),
                (
                    "operation",
                    models.CharField(
                        choices=[
                            ("create_response", "Create response"),
                            ("create_chat_completion", "Create chat completion"),
                            ("create_embedding", "Create embedding"),
                            ("create_image", "Create image"),
                            ("create_moderation", "Create moderation"),
                            ("event", "Webhook event"),
                        ],
                        max_length=60,
                    ),
                ),
                (
                    "sync_type",
                    models.CharField(
                        choices=[
                            ("add_and_update", "Add and update"),
                            ("add", "Add"),
                            ("update", "Update"),
                            ("delete", "Delete"),
                        ],
                        default="add_and_update",
                        max_length=20,
                    ),
                ),
                ("filter", models.TextField(blank=True)),
                ("error_filter", models.TextField(blank=True)),
                ("description", models.CharField(blank=True, max_length=300)),
                ("order", models.PositiveIntegerField(default=1)),
                ("active", models.BooleanField(default=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "installation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mappings",
                        to="connections.installation",
                    ),
                ),
            ],
            options={
                "ordering": ["installation__name", "order", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Rule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("order", models.PositiveIntegerField(default=1)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("field", "Field"),
                            ("static", "Static"),
                            ("formula", "Formula"),
                            ("lookup", "Lookup"),
                        ],
                        default="field",
                        max_length=10,
                    ),
                ),
                ("target", models.CharField(max_length=200)),
                ("source", models.TextField(blank=True)),
                ("default", models.TextField(blank=True)),
                ("required", models.BooleanField(default=False)),
                (
                    "update_mode",
                    models.CharField(
                        choices=[
                            ("overwrite", "Overwrite"),
                            ("if_empty", "If empty"),
                            ("if_new", "If new"),
                            ("append", "Append"),
                        ],
                        default="overwrite",
                        max_length=10,
                    ),
                ),
                ("lookup", models.JSONField(blank=True, default=dict)),
                (
                    "mapping",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rules", to="mappings.mapping"
                    ),
                ),
            ],
            options={
                "ordering": ["order", "pk"],
            },
        ),
        migrations.AddConstraint(
            model_name="mapping",
            constraint=models.UniqueConstraint(fields=("installation", "name"), name="mapping_name_once"),
        ),
    ]
