import pytest
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from ui.access import operator, policy_of, public

ALLOWED = [
    ("/open/", None, 200),
    ("/connections/", None, 302),
    ("/connections/", "none", 403),
    ("/connections/", "viewer", 200),
    ("/operators/", "viewer", 403),
    ("/operators/", "operator", 200),
    ("/operators/", "administrator", 200),
    ("/people/", None, 302),
    ("/people/", "operator", 403),
    ("/people/", "administrator", 286),
]


@pytest.mark.parametrize(("address", "role", "status"), ALLOWED)
def test_a_view_opens_only_for_the_roles_its_policy_names(as_, address, role, status):
    assert as_(role).get(address).status_code == status


def test_nobody_is_sent_to_sign_in_and_back_again(as_):
    assert as_().get("/connections/?q=a b").headers["Location"] == "/sign-in/?next=/connections/%3Fq%3Da%2520b"


def test_nobody_is_not_sent_back_to_an_address_that_only_takes_forms(as_):
    assert as_().post("/operators/").headers["Location"] == "/sign-in/?next=/"


def test_htmx_of_nobody_takes_the_whole_browser_to_sign_in(as_):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/log/?q=1"}
    answer = as_().get("/operators/", headers=headers)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, "/sign-in/?next=%2Flog%2F%3Fq%3D1")
    assert b"whole" not in answer.content


def test_the_refusal_names_the_role_needed_and_the_role_one_has(as_):
    page = as_("viewer").get("/operators/").content.decode()
    assert "This needs the role operator" in page
    assert "you are signed in as viewer" in page


def test_a_view_without_a_policy_is_closed_even_to_administrators(as_):
    answer = as_("administrator").get("/forgotten/")
    assert answer.status_code == 403
    assert b"never seen" not in answer.content


def test_a_policy_is_seen_through_other_decorators():
    assert policy_of(require_POST(operator(lambda request: HttpResponse()))) == "operator"


def test_two_policies_on_one_view_are_a_mistake():
    with pytest.raises(TypeError, match="two access policies: operator and public"):
        public(operator(lambda request: HttpResponse()))


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({}, b"whole"),
        ({"HX-Request": "true"}, b"part"),
        ({"HX-Request": "true", "HX-Boosted": "true"}, b"whole"),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, b"whole"),
    ],
)
def test_a_part_is_given_only_to_htmx_that_asks_for_one(as_, headers, answer):
    assert as_("operator").get("/operators/", headers=headers).content == answer
