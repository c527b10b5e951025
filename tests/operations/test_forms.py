"""The pages of generated forms, without script unless a test says so: what they show, keep, refuse and send."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import httpx
import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client as Browser

from connections import actions
from connections.clients import NoAdminKey, admin_client_for
from logs.audit import SYSTEM
from logs.models import AuditEntry, Call
from openai_api.catalogue import OPERATIONS
from operations import layouts
from operations.choosing import is_grave, offers, role_for
from operations.fields import editing
from operations.form import OperationForm, with_parts
from operations.models import Answer
from tests import builders, people
from tests.connections.builders import error_answer
from tests.operations.filling import Fields

ADMIN_KEY = "sk-admin-canary-0123456789"
TODAY = date(2026, 11, 21)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def today():
    with time_machine.travel(TODAY, tick=True):
        yield


@pytest.fixture
def here():
    return builders.installation(name="OpenAI - Here")


class Page:
    """Somebody at a form: what stands in it, and pressing its buttons as a browser without script does."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser, self.address = browser, address
        self._show(browser.get(address))

    def _show(self, answer: HttpResponse) -> None:
        self.answer = answer
        self.text = answer.content.decode()
        self.values = Fields(self.text).values

    def press(self, button: str, **files: Any) -> HttpResponse:
        assert f'value="{button}"' in self.text, f"There is no button {button}."
        address = f"{self.address}run/" if button == "run" else self.address
        self._show(self.browser.post(address, self.values | files | {"do": button}))
        return self.answer

    @property
    def problems(self) -> dict[str, str]:
        return self.answer.context["form"].problems

    @property
    def body(self) -> Any:
        return json.loads(self.values["json"])


def at(browser: Browser, installation, operation: str) -> Page:
    return Page(browser, f"/operations/{installation.pk}/{operation}/")


# Choosing


def test_operations_are_found_by_entity_and_by_words(as_viewer, here):
    page = as_viewer.get(f"/operations/{here.pk}/?entity=File").content.decode()
    assert "Upload file" in page and "Create image" not in page
    found = as_viewer.get(f"/operations/{here.pk}/?q=vector+file", HTTP_HX_REQUEST="true").content.decode()
    assert "Create vector store file" in found and "<html" not in found and "10 operations" in found
    assert "Nothing found" in as_viewer.get(f"/operations/{here.pk}/?q=nothing+such").content.decode()


def test_what_was_shut_down_is_shown_as_such_and_not_run(as_administrator, here, far):
    side = far()
    page = as_administrator.get(f"/operations/{here.pk}/?q=create+video").content.decode()
    assert "OpenAI shut this down on 24 September 2026." in page
    video = at(as_administrator, here, "create_video")
    assert "This cannot be run." in video.text and 'value="run"' not in video.text
    as_administrator.post(f"{video.address}run/", video.values | {"do": "run", "body/prompt": "oak"})
    assert not side.requests


def test_what_ends_says_when(as_viewer, here):
    assert "OpenAI ends this on 30 November 2026." in at(as_viewer, here, "list_evals").text


def test_admin_operations_need_the_admin_key_and_send_it(as_administrator, here, far):
    side = far()
    refused = at(as_administrator, here, "list_projects")
    assert "It takes an admin key" in refused.text and 'value="run"' not in refused.text
    with pytest.raises(NoAdminKey, match="has none"):
        admin_client_for(here)
    here.connection.set_admin_key(ADMIN_KEY)
    here.connection.save()
    assert at(as_administrator, here, "list_projects").press("run").status_code == 302
    assert side.request.headers["authorization"] == f"Bearer {ADMIN_KEY}"
    assert ADMIN_KEY not in json.dumps(list(Answer.objects.values()), default=str)
    at(as_administrator, here, "list_files").press("run")
    assert side.requests[-1].headers["authorization"] == f"Bearer {builders.API_KEY}"


# Roles


def test_a_viewer_fills_in_a_form_and_an_operator_runs_it(here, far):
    side = far()
    vera, omar = people.signed_in(people.viewer_vera()), people.signed_in(people.operator_omar())
    page = at(vera, here, "create_chat_completion")
    page.press("add:body/messages")
    assert "Running this needs the role operator." in page.text and 'value="run"' not in page.text
    assert vera.post(f"{page.address}run/", page.values | {"do": "run"}).status_code == 403
    page = at(omar, here, "create_chat_completion")
    page.values["body/messages/0/content"] = "Hello"
    answer = page.press("run")
    assert answer.status_code == 302 and answer.url.startswith(f"/operations/{here.pk}/answers/")
    sent = json.loads(side.request.content)
    assert sent == {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Hello"}]}
    call = Call.objects.get()
    assert (call.operation, call.cause, call.actor) == ("create_chat_completion", "operation", "omar")


def test_what_deletes_or_costs_much_is_the_administrators_and_is_asked_about(here, far):
    side = far()
    omar, ada = people.signed_in(people.operator_omar()), people.signed_in(people.administrator_ada())
    page = at(omar, here, "delete_file")
    assert "Running this needs the role administrator." in page.text
    page.values["path/file_id"] = "file-oak"
    assert omar.post(f"{page.address}run/", page.values | {"do": "run"}).status_code == 403
    page = at(ada, here, "delete_file")
    page.values["path/file_id"] = "file-oak/7"
    asked = page.press("run").content.decode()
    assert "Delete file file-oak/7?" in asked and "Delete file file-oak/7</button>" in asked and not side.requests
    kept = {"path/file_id": "file-oak/7", "kind": "", "timeout": "10000"}
    assert ada.post(page.address, kept).context["form"].typed["path/file_id"] == "file-oak/7"  # back to the form
    assert ada.post(f"{page.address}run/", kept | {"confirmed": "yes", "do": "run"}).status_code == 302
    assert side.request.url.raw_path == b"/v1/files/file-oak%2F7"


def test_which_operations_are_grave():
    assert all(
        is_grave(OPERATIONS[id]) for id in ("delete_file", "create_fine_tuning_job", "create_project", "delete_model")
    )
    assert not any(is_grave(OPERATIONS[id]) for id in ("create_response", "upload_file", "list_projects"))
    assert (
        role_for(OPERATIONS["list_projects"]) == "administrator" and role_for(OPERATIONS["create_image"]) == "operator"
    )


# Filling in


def test_rows_are_added_and_removed_and_shapes_chosen_without_script(as_operator, here):
    page = at(as_operator, here, "create_chat_completion")
    page.press("add:body/messages")
    page.values |= {"body/messages/0/content": "One", "body/messages/1#as": "3"}
    page.press("show") if 'value="show"' in page.text else None
    page.press("add:body/messages")
    page.values["body/messages/2/content"] = "Three"
    page.press("remove:body/messages/1")
    assert page.body["messages"] == [{"role": "user", "content": "One"}, {"role": "developer", "content": "Three"}]
    page.values["body/messages/0/content#as"] = "1"
    page.press("show")
    page.press("add:body/messages/0/content")
    page.values["body/messages/0/content/0/text"] = "A part"
    page.press("check")
    assert page.body["messages"][0]["content"] == [{"type": "text", "text": "A part"}] and not page.problems


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(as_operator, here, far):
    side = far()
    page = at(as_operator, here, "create_chat_completion")
    page.values |= {"body/temperature": "3", "body/top_p": "much", "body/n": "1.5", "timeout": "0"}
    page.values["body/tools#json"] = '[{"type": '
    page.press("run")
    assert page.problems["body/temperature"] == "3 is too much. Enter 0 to 2."
    assert page.problems["body/top_p"] == "“much” is no number. Enter a number, such as 0.7."
    assert page.problems["body/n"] == "This is a number, where a whole number belongs. Enter that."
    assert page.problems["body/messages/0/content"].startswith("This is empty")
    assert page.problems["body/tools"].startswith("This is no JSON: line 1, character 10")
    assert page.problems["timeout"] == "Enter 100 to 600,000 ms."
    for path in ("body-temperature", "body-top-p", "body-tools", "body-messages-0-content"):
        assert f'id="f-{path}-e"' in page.text and f'aria-describedby="f-{path}-e' in page.text, path
    assert (page.values["body/temperature"], page.values["body/top_p"]) == ("3", "much")
    assert page.values["body/tools#json"] == '[{"type": ' and not side.requests


def test_the_form_shows_line_ends_as_they_were_typed(as_operator, here):
    page = at(as_operator, here, "create_response")
    page.values["body/input"] = "\r\nfirst\r\nsecond"
    page.press("check")
    assert page.body["input"] == "\nfirst\nsecond" == page.values["body/input"]


@pytest.mark.parametrize("model", ["gpt-6-luna", "a-model-of-my-own"])
def test_models_are_picked_from_the_account_and_any_other_may_be_typed(as_operator, here, model):
    here.connection.models_seen = [{"id": "gpt-6-luna", "shutdown": None}, {"id": "gpt-5", "shutdown": "2026-12-11"}]
    here.connection.save()
    page = at(as_operator, here, "create_response")
    assert '<option value="gpt-5">ends 11 December 2026</option>' in page.text
    page.values |= {"body/model": model, "body/input": "Hello"}
    page.press("check")
    assert not page.problems and page.body["model"] == model


def test_an_image_has_the_sizes_of_its_model(as_operator, here):
    page = at(as_operator, here, "create_image")
    assert '<option value="3840x2160">' in page.text
    page.values |= {"body/prompt": "Oak", "body/model": "gpt-image-1.5", "body/size": "2560x1440", "body/n": "11"}
    page.press("check")
    assert page.problems == {
        "body/n": "11 is too much. Enter 1 to 10.",
        "body/size": "gpt-image-1.5 does not have the size 2560x1440. "
        "Choose one of auto, 1024x1024, 1536x1024, 1024x1536.",
    }
    assert '<option value="3840x2160">' not in page.text
    assert not layouts.size_problem("gpt-image-2.5-flare", "1536x864")
    assert "multiples of 16" in layouts.size_problem("gpt-image-2", "1000x1001")
    assert "multiples of 16" in layouts.size_problem("gpt-image-2", "large")


def test_a_picture_is_put_into_the_request(as_operator, here, far):
    side = far()
    page = at(as_operator, here, "create_response")
    page.values["json"] = json.dumps(
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "", "detail": "low"}]}]}
    )
    page.press("use-json")
    files = {"body/input/0/content/0/image_url#upload": SimpleUploadedFile("oak.png", b"oak", "image/png")}
    assert page.press("run", **files).status_code == 302
    content = json.loads(side.request.content)["input"][0]["content"]
    assert content == [{"type": "input_image", "image_url": "data:image/png;base64,b2Fr", "detail": "low"}]


def test_a_picture_that_is_too_large_is_refused(as_operator, here, far):
    far()
    page = at(as_operator, here, "create_response")
    page.values["json"] = '{"input": [{"role": "user", "content": [{"type": "input_image", "detail": "low"}]}]}'
    page.press("use-json")
    path = "body/input/0/content/0/image_url"
    page.press("run", **{f"{path}#upload": SimpleUploadedFile("oak.png", b"o" * 3_200_000, "image/png")})
    assert page.problems[path].startswith("“oak.png” is too large")


def test_a_file_goes_out_as_it_was_chosen(as_operator, here, far):
    side = far()
    page = at(as_operator, here, "upload_file")
    page.press("add:body/expires_after")
    page.values |= {"body/expires_after/seconds": "3600", "body/purpose": "batch"}
    file = SimpleUploadedFile("lines.jsonl", b'{"custom_id": "1"}\n', "application/jsonl")
    assert page.press("run", **{"body/file": file}).status_code == 302
    sent = {name: (file_name, kind, content) for name, file_name, kind, content in side.parts}
    assert sent["file"] == ("lines.jsonl", "application/jsonl", b'{"custom_id": "1"}\n')
    assert sent["purpose"][2] == b"batch" and sent["expires_after[seconds]"][2] == b"3600"
    assert sent["expires_after[anchor]"][2] == b"created_at"


def test_a_check_says_so_when_nothing_is_wrong_and_sends_nothing(as_viewer, here, far):
    side = far()
    page = at(as_viewer, here, "create_moderation")
    page.press("check")
    assert page.problems and "Nothing wrong was found" not in page.text
    page.values["body/input"] = "Hello"
    page.press("check")
    assert "Nothing wrong was found" in page.text and not side.requests


def test_a_file_that_is_needed_is_to_be_chosen(as_operator, here, far):
    far()
    page = at(as_operator, here, "upload_file")
    page.press("run")
    assert page.problems == {"body/file": "No file is chosen, and the operation needs one. Choose it."}


def test_what_help_gives_as_json_is_json():
    for layout in layouts.LAYOUTS.values():
        for look in layout.looks.values():
            if "[{" in look.help:
                assert json.loads(look.help[look.help.index("[") : look.help.rindex("]") + 1])


def test_a_file_must_be_chosen_again_when_the_form_comes_back(as_operator, here, far):
    far()
    page = at(as_operator, here, "upload_file")
    page.values["body/purpose"] = ""
    page.press("run", **{"body/file": SimpleUploadedFile("lines.jsonl", b"{}")})
    assert page.problems["body/purpose"].startswith("This is empty")
    assert page.problems["body/file"].startswith("Choose “lines.jsonl” again")


def test_several_images_are_sent_under_one_name(as_operator, here, far):
    side = far()
    page = at(as_operator, here, "edit_image")
    page.values["body/prompt"] = "Oak"
    two = [SimpleUploadedFile("a.png", b"a", "image/png"), SimpleUploadedFile("b.png", b"b", "image/png")]
    assert page.press("run", **{"body/image": two}).status_code == 302, page.problems
    assert [(name, file) for name, file, *_ in side.parts if file] == [("image[]", "a.png"), ("image[]", "b.png")]


def test_a_streamed_answer_is_asked_for_as_such(as_operator, here, far):
    far(httpx.Response(200, content=b"data: {}\n\n", headers={"content-type": "text/event-stream"}))
    page = at(as_operator, here, "create_response")
    page.values |= {"body/input": "Hello", "body/stream": "true"}
    page.press("run")
    assert Answer.objects.get().request.stream is True


def test_the_beta_header_goes_along(as_operator, here, far):
    side = far()
    at(as_operator, here, "list_agents").press("run")
    assert side.request.headers["openai-beta"] == "agents=v1"


# JSON beside the fields

GIVEN = {
    "model": "gpt-6-luna",
    "input": [{"role": "user", "content": "Hello"}],
    "tools": [{"type": "web_search"}],
    "new": 1,
}


def test_json_becomes_fields_and_fields_json(as_operator, here):
    page = at(as_operator, here, "create_response")
    page.values["json"] = json.dumps(GIVEN)
    page.press("use-json")
    assert page.body == GIVEN and page.values["body/input/0/content"] == "Hello"
    assert json.loads(page.values["body/tools#json"]) == GIVEN["tools"]
    assert json.loads(page.values["body#more"]) == {"new": 1}
    page.values["body/input/0/content"] = "Bye"
    page.press("check")
    assert page.body == GIVEN | {"input": [{"role": "user", "content": "Bye"}]}


def test_changed_json_counts_when_the_form_is_sent(as_operator, here, far):
    side = far()
    page = at(as_operator, here, "create_response")
    page.values["json"] = json.dumps(GIVEN)
    page.press("run")
    assert json.loads(side.request.content) == GIVEN


def test_json_and_fields_that_differ_are_asked_about(as_operator, here, far):
    side = far()
    page = at(as_operator, here, "create_response")
    page.values |= {"json": json.dumps(GIVEN), "body/input": "Typed"}
    page.press("run")
    assert page.problems["json"].startswith("The fields and the JSON were both changed") and not side.requests
    assert (page.values["json"], page.values["body/input"]) == (json.dumps(GIVEN), "Typed")
    assert at_once(page, "use-fields") == {"model": "gpt-6-luna", "input": "Typed"}
    assert at_once(page, "use-json") == GIVEN


def at_once(page: Page, button: str) -> Any:
    answer = page.browser.post(page.address, page.values | {"do": button})
    return json.loads(Fields(answer.content.decode()).values["json"])


@pytest.mark.parametrize("text", ['{"a": }', "[" * 5000, '{"a": NaN}'])
def test_json_that_is_none_stays_as_typed(as_operator, here, text):
    page = at(as_operator, here, "create_response")
    page.values["json"] = text
    page.press("use-json")
    assert page.problems["json"].startswith("This") and page.values["json"] == text


def test_a_part_is_edited_as_json_and_as_fields_again(as_operator, here):
    page = at(as_operator, here, "create_chat_completion")
    page.press("json:body/messages")
    page.values["body/messages#json"] = '[{"role": "system", "content": "Be brief."}]'
    page.press("fields:body/messages")
    assert page.values["body/messages/0/content"] == "Be brief."


@pytest.mark.parametrize("id", [*layouts.LAYOUTS, "create_agent", "create_eval", "create_fine_tuning_job"])
def test_every_button_of_an_untouched_form_does_something(id):
    form = OperationForm(OPERATIONS[id], "gpt-6-luna")
    form.begin()
    untouched = form.typed
    drawn = [part for section in form.sections([]) for top in section.fields for part in with_parts(top)]
    for verb, path in [(verb, part.path) for verb in editing.VERBS for part in drawn]:
        form.typed = untouched
        form.edit(verb, path)
        assert json.loads(form.body_text() or "{}") is not None and form.sections([])


def test_htmx_gets_the_parts_alone(as_operator, here):
    page = at(as_operator, here, "create_response")
    answer = as_operator.post(page.address, page.values | {"body/input": "Hi"}, HTTP_HX_REQUEST="true")
    text = answer.content.decode()
    assert text.lstrip().startswith("{#") is False and "<html" not in text and 'id="op-json"' in text
    assert '"input": "Hi"' in text.replace("&quot;", '"')


@pytest.mark.parametrize("id", ["create_response", "update_fine_tuning", "x" * 300])
def test_junk_is_taken_for_what_it_is(as_administrator, here, id):
    if id not in OPERATIONS:
        assert as_administrator.get(f"/operations/{here.pk}/{id}/").status_code == 404
        return
    junk = {
        "body/input#as": "99",
        "body/tools/²#in": "1",
        "body/input/0#as": "-1",
        "body#more": "[",
        "do": "add:body/x/y",
    }
    for more in (
        {},
        {"do": "remove:"},
        {"do": "fields:body"},
        {"do": "json:path"},
        {"body/metadata/0#in": "1", "kind": "x"},
    ):
        assert as_administrator.post(f"/operations/{here.pk}/{id}/", junk | more).status_code == 200


def test_every_layout_names_what_there_is():
    for id, layout in layouts.LAYOUTS.items():
        form = OperationForm(OPERATIONS[id], "gpt-6-luna")
        schemas = [form.shapes.properties(schema) for schema in OPERATIONS[id].bodies.values()]
        known = set().union(*schemas) if schemas else set()
        named = {name for group in layout.groups for name in group.names} | set(layout.start)
        named |= {path.split("/")[1] for path in layout.looks}
        assert named <= known, f"{id}: {named - known}"


# The admin key


def test_an_admin_key_is_sealed_tested_and_never_shown(as_administrator, here, far_side):
    far_side(lambda request: httpx.Response(200, json={"object": "list", "data": []}))
    address = f"/connections/{here.connection.pk}/admin-key/"
    page = as_administrator.post(address, {"admin_key": f" {ADMIN_KEY}\n"}, follow=True)
    here.connection.refresh_from_db()
    assert here.connection.admin_key.open() == ADMIN_KEY and here.connection.admin_key_last4 == "6789"
    assert "The admin key works." in page.content.decode() and ADMIN_KEY not in page.content.decode()
    assert Call.objects.get().operation == "list_projects"
    assert ADMIN_KEY not in json.dumps(list(AuditEntry.objects.values()), default=str)
    as_administrator.post(address, {"admin_key": ""})
    here.connection.refresh_from_db()
    assert not here.connection.admin_key and here.connection.admin_key_set_at is None


def test_an_admin_key_that_is_refused_says_so(as_administrator, here, far_side):
    far_side(lambda request: error_answer(401, "Incorrect API key provided.", "invalid_api_key"))
    page = as_administrator.post(f"/connections/{here.connection.pk}/admin-key/", {"admin_key": ADMIN_KEY}, follow=True)
    assert "was saved and tested:" in page.content.decode() and "The admin key works." not in page.content.decode()


def test_a_projects_key_is_no_admin_key(as_administrator, here):
    page = as_administrator.post(f"/connections/{here.connection.pk}/admin-key/", {"admin_key": "sk-proj-1"})
    assert "This is the key of a project." in page.content.decode()


def test_an_admin_key_does_not_go_to_another_server(here):
    here.connection.set_admin_key(ADMIN_KEY)
    here.connection.save()
    moved = actions.update_connection(SYSTEM, here.connection, {"base_url": "https://llm.example.com/v1"})
    assert not moved.admin_key


def test_offers_say_what_keeps_an_operation_from_being_run(here):
    refused = {each.operation.id: each.refused for each in offers(here.connection, TODAY) if each.refused}
    assert "admin key" in refused["list_projects"] and "shut this down" in refused["list_assistants"]
    assert "create_response" not in refused


def test_json_with_more_parts_than_a_form_can_hold_stays_json(as_operator, here):
    page = at(as_operator, here, "create_embedding")
    page.values["json"] = json.dumps({"model": "m", "input": [str(number) for number in range(2000)]})
    page.press("use-json")
    assert len(page.values) < 50 and len(page.body["input"]) == 2000
    page.press("check")
    assert not page.problems and len(page.body["input"]) == 2000


def test_the_notice_leads_to_each_field(as_operator, here):
    page = at(as_operator, here, "create_chat_completion")
    page.values["body/temperature"] = "3"
    page.press("check")
    assert '<a href="#f-body-temperature">Temperature</a>' in page.text
    assert '<a href="#f-body-messages-0-content">Content</a>' in page.text


def test_an_earlier_request_fills_its_form_again(as_operator, here, far):
    far()
    page = at(as_operator, here, "create_response")
    page.values |= {"json": json.dumps(GIVEN), "timeout": "5000"}
    page.press("run")
    link = as_operator.get(page.answer.url).content.decode()
    assert f"/operations/{here.pk}/create_response/?again={Answer.objects.get().pk}" in link
    again = Page(as_operator, f"{page.address}?again={Answer.objects.get().pk}")
    assert again.body == GIVEN and again.values["timeout"] == "5000"
    listing = at(as_operator, here, "list_vector_store_files")
    listing.values |= {"path/vector_store_id": "vs/1", "query/limit": "3"}
    listing.press("run")
    again = Page(as_operator, f"{listing.address}?again={Answer.objects.latest('created_at').pk}")
    assert (again.values["path/vector_store_id"], again.values["query/limit"]) == ("vs/1", "3")
    upload = at(as_operator, here, "upload_file")
    upload.values["body/purpose"] = "batch"
    upload.press("run", **{"body/file": SimpleUploadedFile("a", b"a")})
    assert (
        Page(as_operator, f"{upload.address}?again={Answer.objects.latest('created_at').pk}").values["body/purpose"]
        == "batch"
    )


def test_a_form_begins_with_a_model_that_the_account_has(as_operator, here):
    assert at(as_operator, here, "create_image").values["body/model"] == "gpt-image-2.5-flare"
    here.connection.models_seen = [
        {"id": name, "shutdown": None} for name in ("gpt-image-1.5", "gpt-image-2", "whisper-1")
    ]
    here.connection.save()
    assert at(as_operator, here, "create_image").values["body/model"] == "gpt-image-2"
    assert at(as_operator, here, "create_transcription").values["body/model"] == "whisper-1"
    assert at(as_operator, here, "create_speech").values["body/model"] == "gpt-4o-mini-tts"
    assert at(as_operator, here, "create_response").values["body/model"] == here.model


def test_a_model_that_ends_is_remarked_on(as_operator, here):
    page = at(as_operator, here, "create_response")
    assert "ends on" not in page.text
    page.values["body/model"] = "gpt-5"
    page.press("check")
    assert "gpt-5 ends on 11 December 2026, in 20 days." in page.text
