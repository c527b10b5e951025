"""Settings of the demo site, laid over the product's own; and a way to look at it: `python -m tests.ui.site 8720`."""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path
from typing import Any

TEMPLATES_HERE = Path(__file__).parent / "templates"
STAND_IN = "tests.ui.people.SignedInByHeader"
SIGN_IN = "django.contrib.auth.middleware.AuthenticationMiddleware"
NEEDS_DATABASE = {"django.contrib.sessions.middleware.SessionMiddleware"}


def demo_settings(settings: Any) -> dict[str, Any]:
    """The product's settings without what needs a database or collected static files, on the demo's addresses."""
    templates = copy.deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"].append(TEMPLATES_HERE)
    middleware = [STAND_IN if name == SIGN_IN else name for name in settings.MIDDLEWARE if name not in NEEDS_DATABASE]
    return {
        "ROOT_URLCONF": "tests.ui.demo",
        "TEMPLATES": templates,
        "MIDDLEWARE": [name for name in middleware if not name.startswith("servestatic")],
        "MESSAGE_STORAGE": "django.contrib.messages.storage.cookie.CookieStorage",
        "STORAGES": {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}},
        "ALLOWED_HOSTS": ["*"],
        "LOGIN_URL": "accounts:sign_in",
        "BANNERS": [],
        "MENU_COUNTS": {},
    }


def main(port: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.conf import settings
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.servers.basehttp import get_internal_wsgi_application, run
    from django.test import override_settings

    django.setup()
    with override_settings(**demo_settings(settings)):
        run("127.0.0.1", int(port), StaticFilesHandler(get_internal_wsgi_application()), threading=True)


if __name__ == "__main__":
    main(sys.argv[1])
