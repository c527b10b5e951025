from __future__ import annotations

import pytest

from tests.builders import installation
from tests.webhooks.builders import SECRET
from webhooks.signature import self_test

pytestmark = pytest.mark.django_db


def test_the_self_test_sees_a_true_a_forged_and_a_stale_signature():
    test = self_test(installation(signing_secret=SECRET))
    assert (test.true_accepted, test.forged_refused, test.stale_refused) == (True, True, True)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_é", "x"])
def test_a_secret_that_is_none_fails_the_self_test(secret):
    assert not self_test(installation(signing_secret=secret)).passed
