"""Presets: saved from forms, changed in versions, rolled back, renamed, deleted, and by whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser

from connections.models import Installation
from logs.models import AuditEntry, Call
from operations.models import Preset, PresetVersion
from tests import builders as rows
from tests import people
from tests.operations.builders import body, file, installation, said, sent
from tests.operations.presets import PROMPT, filled, newest, save, save_raw, saved, saved_raw

pytestmark = pytest.mark.django_db(transaction=True)


def page(browser: Browser, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return said(answer)


def test_a_form_is_saved_and_comes_back_as_it_was(as_operator: Browser) -> None:
    here = installation()
    version = saved(as_operator, here, note="First try")
    assert (version.number, version.actor, version.note, version.preset_name) == (1, "omar", "First try", "Greeting")
    assert version.asked["body"] == {"model": "gpt-6-luna", "input": "Say hello."}
    html = as_operator.get(version.form_url).content.decode()
    assert "Say hello." in html and f'name="preset" value="{version.pk}"' in html and 'value="10000"' in html


def test_a_raw_request_is_saved_and_comes_back_as_it_was(as_operator: Browser) -> None:
    version = saved_raw(
        as_operator, installation(), payload=body(), query=[("a", "1")], header=[("X-Mine", "2")], max_retries="3", timeout="77"
    )  # fmt: skip
    html = as_operator.get(version.form_url).content.decode()
    for kept in ('value="a"', 'value="X-Mine"', "&quot;gpt-6-luna&quot;", 'value="77"', 'value="3"', "Preset Greeting"):
        assert kept in html, kept


def test_each_save_makes_a_version_and_the_same_again_makes_none(as_operator: Browser) -> None:
    here = installation()
    first = saved(as_operator, here)
    changed = saved(as_operator, here, preset=str(first.pk), **{"body/input": "Say goodbye."})
    assert (changed.preset_id, changed.number) == (first.preset_id, 2)
    same = as_operator.post(
        f"/operations/{here.pk}/create_response/save/",
        filled(preset=str(changed.pk), **{"preset-name": "Greeting", "body/input": "Say goodbye."}),
        follow=True,
    )
    assert "Version 2 says this already" in said(same)
    assert PresetVersion.objects.count() == 2


def test_another_name_makes_another_preset_and_a_taken_one_is_refused(as_operator: Browser) -> None:
    here = installation()
    first = saved(as_operator, here)
    other = saved(as_operator, here, "Farewell", preset=str(first.pk))
    assert other.preset_id != first.preset_id and other.number == 1
    refused = save(as_operator, here, "Farewell", preset=str(first.pk), **{"body/input": "Typed and not lost"})
    assert "The preset was not saved. There is a preset “Farewell” already" in said(refused)
    assert "Typed and not lost" in refused.content.decode()
    assert save(as_operator, here, "").status_code == 200 and PresetVersion.objects.count() == 2


def test_a_wrong_form_is_not_kept_and_nothing_typed_is_lost(as_operator: Browser) -> None:
    refused = save(as_operator, installation(), "Mine", **{"body/max_output_tokens": "many"})
    assert "no number" in said(refused) and "Mine" in refused.content.decode() and not Preset.objects.exists()
    refused = save_raw(as_operator, Installation.objects.get(), "Mine", payload="{oops")
    assert "this is not JSON" in said(refused) and "{oops" in refused.content.decode() and not Preset.objects.exists()


@pytest.mark.parametrize(
    ("text", "why"), [("sk-proj-0123456789abcdef", "looks like a key"), ("x" * 500_000, "too large for a preset")]
)
def test_keys_and_files_are_not_kept_in_presets(as_operator: Browser, text: str, why: str) -> None:
    assert why in said(save(as_operator, installation(), **{"body/input": text}))
    assert not Preset.objects.exists()


def test_what_is_nested_too_deeply_is_not_kept(as_operator: Browser) -> None:
    here = installation()
    assert "nested more than 60 deep" in said(save_raw(as_operator, here, payload="[" * 70 + "]" * 70))
    version = saved_raw(as_operator, here, payload="[" * 50 + '"{{ key }}"' + "]" * 50)
    assert "Body › 1 › 1" in page(
        as_operator, saved_raw(as_operator, here, preset=str(version.pk), payload="[[1]]").get_absolute_url()
    )


def test_files_are_not_kept_and_asked_for_again(as_operator: Browser, far: Any) -> None:
    side = far()
    here = installation()
    version = saved_raw(
        as_operator, here, "Upload", path="/files", form=[("purpose", "batch")], file=[("file", file("a.jsonl"), "")]
    )
    assert version.asked["files"][0]["name"] == "a.jsonl"
    assert "keeps no files" in page(as_operator, f"/operations/presets/{version.preset_id}/")
    assert "Choose “a.jsonl” again" in page(as_operator, version.form_url)
    answer = as_operator.post(f"/operations/presets/{version.preset_id}/run/")
    assert answer.headers["Location"] == version.form_url and not side.requests


def test_a_form_with_files_is_saved_without_choosing_them_again(as_operator: Browser) -> None:
    here = installation()
    posted = {
        "kind": "multipart", "body#in": "1", "body/purpose": "batch", "timeout": "10000", "do": "save", "preset-name": "Up"
    }  # fmt: skip
    address = f"/operations/{here.pk}/upload_file/save/"
    assert as_operator.post(address, posted).status_code == 302
    as_operator.post(address, posted | {"preset": str(newest().pk), "body/file": file("b.jsonl")})
    assert [part["name"] for part in newest().asked["files"]] == ["b.jsonl"]
    as_operator.post(address, posted | {"preset": str(newest().pk), "body/purpose": "user_data"})
    assert (newest().number, [part["name"] for part in newest().asked["files"]]) == (3, ["b.jsonl"])
    assert "Choose “b.jsonl” again" in page(as_operator, newest().form_url)


def test_two_versions_are_compared_and_the_older_one_is_rolled_back_to(as_operator: Browser) -> None:
    here = installation()
    first = saved(as_operator, here)
    second = saved(as_operator, here, preset=str(first.pk), **{"body/input": "Say goodbye.", "preset-note": "Kinder"})
    html = as_operator.get(second.get_absolute_url()).content.decode()
    assert "<del>hello</del>" in html and "<ins>goodbye</ins>" in html and "Body › input" in html
    assert "<del>hello</del>" in as_operator.get(f"{first.get_absolute_url()}?with=2").content.decode()
    as_operator.post(f"/operations/presets/versions/{first.pk}/roll-back/")
    assert (newest().number, newest().asked, newest().note) == (3, first.asked, "Back to version 1")
    again = as_operator.post(f"/operations/presets/versions/{first.pk}/roll-back/", follow=True)
    assert "says this already" in said(again) and newest().number == 3
    words = page(as_operator, f"/operations/presets/{first.preset_id}/")
    assert "Back to version 1" in words and "Kinder" in words


def test_it_is_run_again_and_the_call_names_the_version(as_operator: Browser, far: Any) -> None:
    side = far()
    version = saved(as_operator, installation())
    as_operator.post(f"/operations/presets/{version.preset_id}/run/")
    call = Call.objects.get()
    assert (call.cause, call.cause_id, call.cause_label) == ("operation", str(version.pk), "Greeting, version 1")
    assert b"Say hello." in side.request.content
    assert version.get_absolute_url() in as_operator.get(f"/log/{call.pk}/").content.decode()
    words = page(as_operator, "/operations/presets/")
    assert "Greeting" in words and "Done" in words and "$" in words
    assert f"/log/{call.pk}/" in as_operator.get("/operations/presets/").content.decode()
    assert Call.objects.filter(tags=version.tag).count() == 1


def test_a_form_names_the_version_only_while_it_says_the_same(as_operator: Browser, far: Any) -> None:
    far()
    here = installation()
    version = saved(as_operator, here)
    address = f"/operations/{here.pk}/create_response/run/"
    as_operator.post(address, filled(do="run", preset=str(version.pk)))
    as_operator.post(address, filled(do="run", preset=str(version.pk), **{"body/input": "Something else."}))
    causes = Call.objects.order_by("created_at").values_list("cause_id", "cause_label")
    assert list(causes) == [(str(version.pk), "Greeting, version 1"), ("", "create_response")]


def test_a_raw_request_names_its_version_too(as_operator: Browser, far: Any) -> None:
    far()
    here = installation()
    version = saved_raw(as_operator, here, payload=body())
    sent(as_operator, here, payload=body(), preset=str(version.pk))
    sent(as_operator, here, payload=body(n=1), preset=str(version.pk))
    assert list(Call.objects.order_by("created_at").values_list("cause_id", flat=True)) == [str(version.pk), ""]


def test_a_version_of_another_installation_counts_as_none(as_operator: Browser) -> None:
    version = saved(as_operator, installation())
    other = rows.installation(name="OpenAI - Other", webhook_key="whk_other_canary_9876543210")
    assert (
        "Say hello."
        not in as_operator.get(
            version.form_url.replace(f"/{version.installation_id}/", f"/{other.pk}/")
        ).content.decode()
    )
    made = saved(as_operator, other, preset=str(version.pk))
    assert made.preset_id != version.preset_id


def test_a_rename_keeps_the_names_that_versions_had(as_operator: Browser) -> None:
    here = installation()
    version = saved(as_operator, here)
    saved(as_operator, here, "Taken")
    address = f"/operations/presets/{version.preset_id}/rename/"
    assert "There is a preset “Taken” already" in said(as_operator.post(address, {"preset-name": "Taken"}))
    assert "Welcome" in said(as_operator.post(address, {"preset-name": "Welcome"}, follow=True))
    assert "Greeting, version 1" in page(as_operator, version.get_absolute_url())


def test_a_deleted_preset_stays_readable_by_its_calls(as_administrator: Browser, far: Any) -> None:
    far()
    version = saved(as_administrator, installation())
    as_administrator.post(f"/operations/presets/{version.preset_id}/run/")
    as_administrator.post(f"/operations/presets/{version.preset_id}/delete/")
    assert "No presets yet" in page(as_administrator, "/operations/presets/")
    assert version.get_absolute_url() in as_administrator.get(f"/log/{Call.objects.get().pk}/").content.decode()
    words = page(as_administrator, version.get_absolute_url())
    assert "This preset is deleted" in words and "Say hello." in words and "Roll back" not in words
    assert as_administrator.post(f"/operations/presets/versions/{version.pk}/roll-back/").status_code == 404


def test_viewers_look_operators_save_and_run_administrators_delete(
    as_viewer: Browser, as_operator: Browser, far: Any
) -> None:
    side = far()
    here = installation()
    version = saved(as_operator, here)
    words = page(as_viewer, f"/operations/presets/{version.preset_id}/")
    assert "Say hello." in words and "needs the role operator" in words
    for address in ("run", "rename", "delete"):
        assert as_viewer.post(f"/operations/presets/{version.preset_id}/{address}/").status_code == 403
    assert save(as_viewer, here).status_code == 403
    assert as_operator.post(f"/operations/presets/{version.preset_id}/delete/").status_code == 403
    assert not side.requests and Preset.objects.count() == 1


def test_what_deletes_needs_an_administrator_who_says_yes(as_operator: Browser, far: Any) -> None:
    side = far()
    version = saved_raw(as_operator, installation(), "Tidy", method="DELETE", path="/files/file-7")
    address = f"/operations/presets/{version.preset_id}/run/"
    assert as_operator.post(address).status_code == 403
    ada = people.signed_in(people.administrator_ada())
    assert "Nothing was sent. This deletes /files/file-7" in said(ada.post(address, follow=True))
    assert not side.requests
    ada.post(address, {"sure": "DELETE /files/file-7"})
    assert side.request.method == "DELETE"


def test_a_preset_with_places_is_not_sent_as_it_stands(as_operator: Browser, far: Any) -> None:
    side = far()
    version = saved(as_operator, installation(), **{"body/input": PROMPT})
    answer = as_operator.post(f"/operations/presets/{version.preset_id}/run/")
    assert answer.headers["Location"] == f"/operations/presets/{version.preset_id}/record/" and not side.requests
    assert "run with a record. fields.name" in page(as_operator, f"/operations/presets/{version.preset_id}/")


def test_the_audit_trail_tells_it_all(as_administrator: Browser) -> None:
    here = installation()
    first = saved(as_administrator, here)
    saved(as_administrator, here, preset=str(first.pk), **{"body/input": "Say goodbye."})
    as_administrator.post(f"/operations/presets/versions/{first.pk}/roll-back/")
    as_administrator.post(f"/operations/presets/{first.preset_id}/rename/", {"preset-name": "Welcome"})
    as_administrator.post(f"/operations/presets/{first.preset_id}/delete/")
    told = AuditEntry.objects.filter(object_kind="preset").order_by("pk").values_list("action", "actor_name")
    assert list(told) == [(action, "ada") for action in ("saved", "saved", "rolled back", "renamed", "deleted")]


def test_versions_cannot_be_deleted(as_operator: Browser) -> None:
    version = saved(as_operator, installation())
    with pytest.raises(RuntimeError, match="results name them"):
        version.delete()


def test_an_answer_says_which_version_made_it(as_operator: Browser, far: Any) -> None:
    far()
    version = saved(as_operator, installation())
    words = said(as_operator.post(f"/operations/presets/{version.preset_id}/run/", follow=True))
    assert "Greeting, version 1" in words


def test_the_help_says_how_places_are_filled(as_viewer: Browser) -> None:
    words = page(as_viewer, "/operations/presets/help/")
    for told in ("Roll back", "{{ fields.name }}", "Files", "By a flow"):
        assert told in words
