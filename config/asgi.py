"""The ASGI entry: machine traffic goes to small applications beside Django, pages go to Django."""

from __future__ import annotations

import os
from typing import cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

from config.entry import Application, by_path, told_by_proxies  # noqa: E402 - apps must be ready before models are imported

application = told_by_proxies(by_path(cast(Application, pages)))
