"""Every change of a preset: the change, its version and its audit line, in one transaction."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from connections.models import Installation
from logs import audit
from logs.audit import Actor
from operations.asking import Asked
from operations.models import Preset, PresetVersion, said


class NameTaken(Exception):
    """Another preset of the installation has this name. The message says what to do."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a preset “{name}” already. Enter another name, or open that one and change it.")


def create_preset(actor: Actor, installation: Installation, name: str, asked: Asked, note: str = "") -> PresetVersion:
    """A new preset with its first version. Raises NameTaken."""
    try:
        with transaction.atomic():
            preset = Preset.objects.create(installation=installation, name=name)
            return _add(actor, preset, "saved", asked.to_json(), note)
    except IntegrityError:
        raise NameTaken(name) from None


@transaction.atomic
def save_version(actor: Actor, preset: Preset, asked: Asked, note: str = "") -> tuple[PresetVersion, bool]:
    """The newest version of the preset, and whether it is a new one: what says the same as the newest makes none."""
    preset, newest = _locked(preset)
    if said(newest.asked) == said(asked.to_json()):
        return newest, False
    return _add(actor, preset, "saved", asked.to_json(), note), True


@transaction.atomic
def roll_back(actor: Actor, preset: Preset, version: PresetVersion) -> tuple[PresetVersion, bool]:
    """A new version that says what `version` said; none where the newest says the same."""
    preset, newest = _locked(preset)
    if newest.asked == version.asked:
        return newest, False
    note = f"Back to version {version.number}"
    return _add(actor, preset, "rolled back", version.asked, note), True


def rename_preset(actor: Actor, preset: Preset, name: str) -> bool:
    """False where it is called so already. Versions keep the name that they were saved under. Raises NameTaken."""
    try:
        with transaction.atomic():
            preset, _ = _locked(preset)
            before, preset.name = preset.name, name
            if before == name:
                return False
            preset.save(update_fields=["name"])
            audit.write(actor, "renamed", "preset", preset.pk, name, {"name": [before, name]})
    except IntegrityError:
        raise NameTaken(name) from None
    return True


@transaction.atomic
def delete_preset(actor: Actor, preset: Preset) -> None:
    """Its versions stay. Raises RestrictedError while a flow uses it."""
    audit.write(actor, "deleted", "preset", preset.pk, preset.name, {"version": [preset.version, None]})
    preset.delete()


def _locked(preset: Preset) -> tuple[Preset, PresetVersion]:
    """The preset as it is now, held until the end of the transaction, and its newest version."""
    held = Preset.objects.select_for_update(of=("self",)).select_related("installation").get(pk=preset.pk)
    return held, held.current()


def _add(actor: Actor, preset: Preset, action: str, asked: dict[str, Any], note: str) -> PresetVersion:
    preset.version += 1
    preset.changed_at = timezone.now()
    preset.save(update_fields=["version", "changed_at"])
    version = PresetVersion.objects.create(
        preset_id=preset.pk,
        preset_name=preset.name,
        installation_id=preset.installation_id,
        installation_name=preset.installation.name,
        number=preset.version,
        actor=actor.name,
        note=note,
        asked={**asked, "preset": ""},
    )
    changes = {"version": [preset.version - 1 or None, preset.version]} | ({"note": [None, note]} if note else {})
    audit.write(actor, action, "preset", preset.pk, preset.name, changes)
    return version
