"""The filter of the inbox."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms

from ui.states import choices
from webhooks.models import Event, EventQuerySet
from webhooks.states import EVENT_STATES


class InboxFilter(forms.Form):
    """All fields are optional and stand in the address. A value that names nothing filters nothing."""

    state = forms.ChoiceField(required=False, label="State")
    type = forms.ChoiceField(required=False, label="Event type")
    installation = forms.TypedChoiceField(required=False, label="Installation", coerce=int, empty_value=None)
    q = forms.CharField(required=False, max_length=200, label="Event, response or record id")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed through to Form
        types = Event.objects.order_by("event_type").values_list("event_type", flat=True).distinct()[:100]
        names = (
            Event.objects.order_by("installation_name").values_list("installation_id", "installation_name").distinct()
        )
        self._offer("state", "All states", choices(EVENT_STATES))
        self._offer("type", "All event types", [(name, name) for name in types])
        self._offer("installation", "All installations", list(dict(names[:200]).items()))

    def _offer(self, name: str, every: str, offered: Sequence[tuple[object, str]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", every), *offered]

    def events(self) -> EventQuerySet:
        wanted = self.cleaned_data if self.is_valid() else getattr(self, "cleaned_data", {})
        found = Event.objects.all()
        for column, name in (("state", "state"), ("event_type", "type"), ("installation_id", "installation")):
            if wanted.get(name):
                found = found.filter(**{column: wanted[name]})
        return found.search(wanted["q"]) if wanted.get("q") else found
