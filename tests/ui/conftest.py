import pytest
from django.conf import settings as product
from django.test import Client

from tests.ui.site import demo_settings


@pytest.fixture(autouse=True)
def demo_site(settings):
    for name, value in demo_settings(product).items():
        setattr(settings, name, value)


@pytest.fixture
def as_():
    """`as_("viewer")` is a browser in which somebody of that role is signed in; `as_()` is one of nobody."""

    def client(role=None, **options):
        headers = {"X-Role": role} if role else {}
        return Client(headers=headers, **options)

    return client
