"""Where a program reaches an installation, and how it says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from connections.models import Installation

PYTHON = """\
from openai import OpenAI

# The token stands in the environment variable OPENAI_API_KEY.
client = OpenAI(base_url="{url}")
answer = client.responses.create(model="{model}", input="Say hello")
print(answer.output_text)"""

CURL = """\
curl {url}/responses \\
  -H "Authorization: Bearer $OPENAI_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{body}'"""


@dataclass(frozen=True)
class Place:
    """An installation and the base URL that leads to it; `id` is for the page."""

    id: str
    name: str
    pk: int
    url: str


@dataclass(frozen=True)
class Example:
    """A few lines that a reader copies; they take the token from the environment, so that it stays out of programs."""

    id: str
    label: str
    text: str


def base_url(installation: Installation) -> str:
    """By id: it stays when the installation is renamed."""
    return f"{settings.PUBLIC_URL}/proxy/{installation.pk}/v1"


def places(installations: Iterable[Installation]) -> list[Place]:
    return [Place(f"base-{row.pk}", row.name, row.pk, base_url(row)) for row in installations]


def examples(installation: Installation) -> list[Example]:
    url, model = base_url(installation), _plain(installation.model)
    body = f'{{"model": "{model}", "input": "Say hello"}}'
    return [
        Example("python", "openai for Python", PYTHON.format(url=url, model=model)),
        Example("curl", "curl", CURL.format(url=url, body=body)),
    ]


def _plain(model: str) -> str:
    """A model's name as it may stand between the quotes of either example."""
    return "".join(sign for sign in model if sign.isalnum() or sign in "-_.:/")
