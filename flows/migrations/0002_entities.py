"""The kinds of records that every hub has."""

from typing import Any

from django.db import migrations


def _field(name: str, label: str, long: bool = False) -> dict[str, Any]:
    return {"name": name, "label": label, "long": long}


ANSWER = [
    _field("OpenAI Response Text", "OpenAI response text", long=True),
    _field("OpenAI Last Response ID", "OpenAI last response ID"),
    _field("OpenAI Last Response Date", "OpenAI last response date"),
    _field("OpenAI Last Prompt Text", "OpenAI last prompt text", long=True),
]
PULLED = [_field("installation", "Installation"), _field("deleted", "Deleted at OpenAI")]
ENTITIES: dict[str, dict[str, Any]] = {
    "Product": {
        "title_field": "name",
        "fields": [
            _field("name", "Name"),
            _field("description", "Description", long=True),
            _field("price", "Price"),
            _field("currency", "Currency"),
            _field("category", "Category"),
            _field("brand", "Brand"),
            _field("stock", "Stock"),
        ],
        "custom_fields": ANSWER,
    },
    "Customer": {
        "title_field": "name",
        "fields": [
            _field("name", "Name"),
            _field("email", "Email"),
            _field("company", "Company"),
            _field("country", "Country"),
            _field("language", "Language"),
            _field("notes", "Notes", long=True),
        ],
        "custom_fields": ANSWER,
    },
    "Message": {
        "title_field": "type",
        "fields": [
            _field("type", "Type"),
            _field("object id", "Object ID"),
            _field("received date", "Received"),
            _field("status", "Status"),
            _field("model", "Model"),
            _field("text", "Text", long=True),
        ],
        "custom_fields": PULLED,
    },
    "Model": {
        "title_field": "owned_by",
        "fields": [
            _field("owned_by", "Owned by"),
            _field("created", "Created"),
            _field("shutdown_date", "Shutdown date"),
        ],
        "custom_fields": PULLED,
    },
    "File": {
        "title_field": "filename",
        "fields": [
            _field("filename", "File name"),
            _field("purpose", "Purpose"),
            _field("bytes", "Size in bytes"),
            _field("created_at", "Created"),
            _field("expires_at", "Expires"),
            _field("status", "Status"),
        ],
        "custom_fields": PULLED,
    },
}


def add(apps: Any, schema_editor: Any) -> None:
    entity = apps.get_model("flows", "Entity")
    for order, (name, values) in enumerate(ENTITIES.items()):
        entity.objects.get_or_create(name=name, defaults={"order": order, **values})


def remove(apps: Any, schema_editor: Any) -> None:
    # Records hold on to their entity: only kinds without a record go.
    used = apps.get_model("flows", "Record").objects.values_list("entity_id", flat=True)
    apps.get_model("flows", "Entity").objects.filter(name__in=ENTITIES).exclude(pk__in=used).delete()


class Migration(migrations.Migration):
    dependencies = [("flows", "0001_hub")]
    operations = [migrations.RunPython(add, remove)]
