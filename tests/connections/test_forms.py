from __future__ import annotations

from typing import Any

import pytest

from connections.fields import SigningSecretField, WholeNumber
from connections.forms import SANDBOX_KEY, ConnectionEditForm, ConnectionForm
from connections.installation_forms import InstallationForm, NameForm, SigningSecretForm, ThrottleForm
from tests import builders
from tests.connections.builders import NEW_KEY, SANDBOX, SECRET, answers, throttle, typed

pytestmark = pytest.mark.django_db


def errors(form: Any) -> dict[str, str]:
    return {name: said[0] for name, said in form.errors.items()}


def connection_form(**over: Any) -> ConnectionForm:
    return ConnectionForm(typed(**over))


def test_openai_is_one_choice_and_needs_no_address() -> None:
    form = connection_form(base_url="https://ignored.example.com")
    assert form.is_valid()
    assert form.cleaned_data["base_url"] == "https://api.openai.com/v1"


def test_the_sandbox_needs_no_key() -> None:
    form = connection_form(kind="sandbox", api_key="")
    assert form.is_valid()
    assert (form.cleaned_data["base_url"], form.cleaned_data["api_key"]) == (SANDBOX, SANDBOX_KEY)


def test_the_sandbox_is_no_choice_where_there_is_none(settings: Any) -> None:
    settings.SANDBOX_URL = ""
    assert "kind" in connection_form(kind="sandbox", api_key="").errors


def test_spaces_and_line_breaks_that_came_with_the_key_are_dropped() -> None:
    form = connection_form(api_key=f"  {NEW_KEY[:10]}\r\n{NEW_KEY[10:]} \t")
    assert form.is_valid()
    assert form.cleaned_data["api_key"] == NEW_KEY


@pytest.mark.parametrize("key", ["sk-ключ", "sk-\x00abc", "sk-" + "x" * 600])
def test_a_key_that_fits_no_header_is_refused_without_repeating_it(key: str) -> None:
    form = connection_form(api_key=key)
    assert key not in errors(form)["api_key"]


def test_openai_without_a_key_is_refused() -> None:
    assert "OpenAI needs a key" in errors(connection_form(api_key=""))["api_key"]


def test_when_another_field_is_wrong_the_key_is_asked_for_again_and_not_drawn() -> None:
    form = connection_form(name="")
    assert "Enter the key again" in errors(form)["api_key"]
    assert NEW_KEY not in form.as_p()


def test_a_taken_name_is_refused_beside_the_field_whatever_its_capitals() -> None:
    builders.connection(name="Harbor & Pine main")
    assert "Choose another name" in errors(connection_form(name=" harbor &  pine MAIN"))["name"]


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "empty"),
        ("ftp://files.example.com", "https://"),
        ("https://me:word@example.com/v1", "user name or password"),
        ("https://example.com/v1?key=1", "query"),
        ("http://10.0.0.8/v1", "private"),
        ("http://169.254.169.254/v1", "private"),
        ("http://[::1]:11434/v1", "private"),
        ("http://[::ffff:10.0.0.8]/v1", "private"),
        ("http://[64:ff9b::a00:8]/v1", "private"),
        ("http://[fe80::1%25eth0]/v1", "private"),
        ("http://167772168/v1", "private"),
        ("http://0x0a.8/v1", "private"),
        ("http://10。0。0。8/v1", "private"),
        ("http://127.0.0.1:5432/v1", "private"),
        ("http://[::1/v1", "cannot be read"),
        ("https://example.com:99999/v1", "cannot be read"),
        ("example.com/v1", "https://"),
    ],
)
def test_an_address_that_may_not_be_called_is_refused_with_the_reason(address: str, says: str) -> None:
    assert says in errors(connection_form(kind="other", base_url=address))["base_url"]


def test_another_server_may_do_without_a_key() -> None:
    form = connection_form(kind="other", base_url="https://llm.example.com/v1/ ", api_key="")
    assert form.is_valid()
    assert form.cleaned_data["base_url"] == "https://llm.example.com/v1"


def test_a_private_server_works_where_the_operator_allows_it(settings: Any) -> None:
    import ipaddress

    settings.ALLOW_PRIVATE_ADDRESSES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))
    for address in ("10.0.0.8", "[::ffff:10.0.0.8]", "[fd00::8]"):
        assert connection_form(kind="other", base_url=f"http://{address}/v1").is_valid(), address
    assert not connection_form(kind="other", base_url="http://192.168.0.8/v1").is_valid()


def test_the_sandbox_may_be_typed_as_another_server_and_nothing_else_of_this_machine() -> None:
    assert connection_form(kind="other", base_url=SANDBOX).is_valid()
    assert not connection_form(kind="other", base_url=SANDBOX.replace("8799", "8798")).is_valid()


@pytest.mark.parametrize("value", ["org 1", "org\r\nX-Evil: 1", "örg"])
def test_an_account_id_cannot_carry_a_header_of_its_own(value: str) -> None:
    assert "organization" in connection_form(organization=value).errors


def test_another_address_asks_for_the_key_again() -> None:
    row = builders.connection(base_url="https://api.openai.com/v1")
    moved = typed(name=row.name, kind="other", base_url="https://elsewhere.example.com/v1", api_key="")
    assert "stored key is not sent" in errors(ConnectionEditForm(moved, connection=row))["api_key"]
    assert ConnectionEditForm(moved | {"api_key": NEW_KEY}, connection=row).is_valid()
    assert ConnectionEditForm(typed(name=row.name, api_key=""), connection=row).is_valid()


@pytest.mark.parametrize(
    ("typed_in", "says"),
    [
        ("90", "90 is more than a window may last. Enter 1 to 60."),
        ("0", "0 is too little. Enter 1 to 60."),
        ("", "This is empty. Enter 1 to 60."),
        ("-5", "“-5” is not a whole number. Enter 1 to 60."),
        ("6.5", "“6.5” is not a whole number. Enter 1 to 60."),
        ("٦٠", "“٦٠” is not a whole number. Enter 1 to 60."),
        ("1e1", "“1e1” is not a whole number. Enter 1 to 60."),
    ],
)
def test_a_number_out_of_bounds_is_refused_in_words(typed_in: str, says: str) -> None:
    assert errors(ThrottleForm(throttle(throttle_seconds=typed_in)))["throttle_seconds"] == says


def test_thousands_may_be_separated() -> None:
    assert WholeNumber(1, 10_000, "fits").clean(" 1,240 ") == 1240


def test_the_operator_raises_the_upper_bounds(settings: Any) -> None:
    wide = throttle(throttle_seconds="3600", concurrent_connections="64", concurrent_batches="64")
    assert len(ThrottleForm(wide).errors) == 3
    settings.MAX_THROTTLE_SECONDS, settings.MAX_CONCURRENT_CONNECTIONS, settings.MAX_CONCURRENT_BATCHES = 3600, 64, 64
    assert ThrottleForm(wide).is_valid()


def test_defaults_fit_bounds_that_the_operator_lowered(settings: Any) -> None:
    settings.MAX_THROTTLE_SECONDS, settings.MAX_CONCURRENT_CONNECTIONS = 10, 2
    fields = ThrottleForm().fields
    assert (fields["throttle_seconds"].initial, fields["concurrent_connections"].initial) == (10, 2)


def test_any_unique_name_is_taken_and_a_poor_one_gets_a_hint() -> None:
    plain = NameForm({"name": "Everything"})
    assert plain.is_valid()
    assert "environment or purpose" in plain.hint()
    assert NameForm({"name": "OpenAI – Release"}).hint() == ""


def test_a_model_is_one_word() -> None:
    assert "no spaces" in errors(InstallationForm(answers(model="GPT-5 nano")))["model"]


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ("", "empty"),
        ("sk-0123456789", "begins with whsec_"),
        ("whsec_", "missing or damaged"),
        ("whsec_dG9vIHNob3J0", "missing or damaged"),
        (SECRET[:-6] + "!!!!!!", "missing or damaged"),
    ],
)
def test_a_signing_secret_is_looked_at_before_it_is_kept(secret: str, says: str) -> None:
    assert says in errors(SigningSecretForm({"secret": secret}))["secret"]


def test_a_whole_signing_secret_is_taken_with_the_spaces_around_it() -> None:
    assert SigningSecretField().clean(f" {SECRET}\n") == SECRET


def test_ready_made_tasks_are_chosen_one_by_one() -> None:
    form = InstallationForm(answers(task_category="on", task_alt_text="on"))
    assert form.is_valid(), form.errors
    facts = form.fields_of_installation()
    assert facts["tasks"] == ["category", "alt_text"]
    assert not any(name.startswith("task_") for name in facts)
    assert InstallationForm(answers()).is_valid()
