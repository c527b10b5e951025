"""Encrypts every stored secret under the first key of SEALING_KEYS, so that older keys can be taken out."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from connections.resealing import reseal_all
from connections.sealing import key_id


class Command(BaseCommand):
    help = "Encrypt every stored secret under the first key of SEALING_KEYS. Prints counts as JSON."

    def handle(self, *args: Any, **options: Any) -> None:
        tally = reseal_all()
        first = key_id(settings.SEALING_KEYS[0])
        self.stdout.write(json.dumps({"key": first, **asdict(tally)}))
        if tally.failed:
            raise CommandError(
                f"{tally.failed} secret{'' if tally.failed == 1 else 's'} could not be opened with the keys in "
                "SEALING_KEYS. Put the missing key back and run this again, or enter those secrets anew."
            )
