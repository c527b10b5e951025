"""Django on an empty installation of its own, for what is measured inside this process."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def standing() -> Iterator[None]:
    """Settings and tables of a new VAR_DIR, which is gone afterwards. DATABASE_URL is heeded where it is set."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("VAR_DIR", folder)
        os.environ.setdefault("SECRET_KEY", "x" * 50)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        if "SEALING_KEYS" not in os.environ:
            import start

            start.make_secrets(start.var_dir())
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        yield
