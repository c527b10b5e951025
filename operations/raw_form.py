"""The raw request as a form: any method and path below the base URL, with everything that a request can carry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.forms.formsets import BaseFormSet, formset_factory
from django.utils.datastructures import MultiValueDict

from openai_api import passing
from openai_api.passing import NotPassedOn
from openai_api.retries import RetryPolicy
from operations import costly, outgoing
from operations.asking import RESPONSE_TYPES, Asked, FilePart

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
DEFAULT_TIMEOUT, LONGEST_TIMEOUT = 10_000, 3_600_000  # ms
LONGEST_DELAY, MOST_RETRIES = 120_000, 10
ROWS, MOST_ROWS = 6, 100
TYPES = {"json": "JSON", "text": "Text, as it came", "binary": "Binary, to be saved"}


class RequestForm(forms.Form):
    """What there is one of. `base_url` is what the path is appended to."""

    method = forms.ChoiceField(label="Method", choices=[(name, name) for name in METHODS], initial="GET")
    path = forms.CharField(label="Path", max_length=500, initial="/models")
    payload = forms.CharField(
        label="Data",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="The JSON body. With a Content-Type header that names something else, any text.",
    )
    response_type = forms.ChoiceField(
        label="Response type", choices=[(name, TYPES[name]) for name in RESPONSE_TYPES], initial="json"
    )
    timeout = forms.IntegerField(
        label="Timeout",
        min_value=1,
        max_value=LONGEST_TIMEOUT,
        initial=DEFAULT_TIMEOUT,
        help_text="How long each attempt waits for the answer to begin, and then for each next piece of it.",
    )
    debug = forms.BooleanField(
        label="Debug request",
        required=False,
        help_text="Shows the exact request as it was sent, without the key.",
    )
    max_retries = forms.IntegerField(
        label="Max retry count", min_value=0, max_value=MOST_RETRIES, initial=0, help_text="0 tries once."
    )
    retry_delay = forms.IntegerField(
        label="Retry delay",
        min_value=0,
        max_value=LONGEST_DELAY,
        initial=0,
        help_text="Not used with exponential backoff, nor where OpenAI says how long to wait.",
    )
    backoff = forms.BooleanField(
        label="Use exponential backoff",
        required=False,
        help_text="Waits 0.5 s, then twice as long each time, up to 60 s.",
    )
    retry_all = forms.BooleanField(
        label="Retry on all errors",
        required=False,
        help_text="Else only after 429, 5xx and network errors. What can't succeed (400, 401, 403, 404, no credit) is never "
        "tried again, and what may have been paid is not paid twice.",
    )
    sure = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, base_url: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.base_url = base_url
        self.fields["path"].help_text = f"Below {base_url}, which is included already."

    def clean_path(self) -> str:
        typed: str = self.cleaned_data["path"].strip()
        if urlsplit(typed).scheme or typed.startswith("//"):
            raise forms.ValidationError(
                "This is a full address, and the key goes to the connection's server only. "
                "Enter the path alone, such as /images/generations."
            )
        if "?" in typed or "#" in typed:
            raise forms.ValidationError("The path ends before the ? or #. Enter what follows as query parameters.")
        try:
            return passing.path(_below(typed, self.base_url))
        except NotPassedOn as problem:
            raise forms.ValidationError(str(problem)) from None


class PairForm(forms.Form):
    """A name and a value, or a row that was left empty."""

    name = forms.CharField(label="Name", max_length=200, required=False)
    value = forms.CharField(label="Value", required=False, strip=False, widget=forms.TextInput)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("value") and not found.get("name"):
            self.add_error("name", "Name it, or clear its value.")
        return found


class HeaderForm(PairForm):
    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if found.get("name"):
            try:
                outgoing.check_header(found["name"], found.get("value", ""))
            except NotPassedOn as problem:
                self.add_error("name", str(problem))
        return found


class FieldForm(PairForm):
    """A form field, whose value may have lines."""

    value = forms.CharField(label="Value", required=False, strip=False, widget=forms.Textarea(attrs={"rows": 1}))


class FileForm(forms.Form):
    """A file, the field that it is sent as, and the name that it gets instead of its own."""

    name = forms.CharField(label="Field", max_length=200, required=False)
    file = forms.FileField(label="File", required=False, allow_empty_file=True)
    file_name = forms.CharField(label="File name", max_length=255, required=False)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("file") is not None and not found.get("name"):
            self.add_error("name", "Name the field that the file is sent as, such as file.")
        if found.get("file") is None and (found.get("name") or found.get("file_name")) and not self.errors:
            self.add_error("file", "Choose the file (a browser forgets it when a form comes back), or clear the row.")
        return found


Rows = BaseFormSet[Any]


def rows_of(form: type[forms.Form]) -> type[Rows]:
    return formset_factory(form, extra=ROWS, max_num=MOST_ROWS, absolute_max=MOST_ROWS)


QUERY, HEADERS, FORM, FILES = rows_of(PairForm), rows_of(HeaderForm), rows_of(FieldForm), rows_of(FileForm)


class RawForm:
    """The whole page: one form and the rows of four kinds. `may_do_costly` is whether the person is an administrator."""

    def __init__(
        self,
        post: MultiValueDict[str, Any] | None = None,
        files: MultiValueDict[str, Any] | None = None,
        *,
        base_url: str,
        may_do_costly: bool = False,
        again: Asked | None = None,
    ) -> None:
        self.request = RequestForm(post, base_url=base_url, initial=_initial(again))
        self.query = QUERY(post, prefix="query", initial=_pairs(again.query if again else ()))
        self.headers = HEADERS(post, prefix="header", initial=_pairs(again.headers if again else ()))
        self.form = FORM(post, prefix="form", initial=_pairs(again.form if again else ()))
        self.files = FILES(post, files, prefix="file", initial=_files(again))
        self.again = again
        self.may_do_costly = may_do_costly
        self.question = ""
        self.asked: Asked | None = None

    @property
    def sure(self) -> str:
        """What a confirmation of this request holds."""
        found = self.request.cleaned_data
        return costly.sure(found["method"], found["path"])

    @property
    def open_parts(self) -> set[str]:
        """The groups of rows that have something in them: they are shown open."""
        groups = {"query": self.query, "headers": self.headers, "form": self.form, "files": self.files}
        found = {name for name, rows in groups.items() if any(_in_use(form) for form in rows)}
        retries = ("max_retries", "retry_delay", "backoff", "retry_all")
        return found | ({"retries"} if any(_differs(self.request, name) for name in retries) else set())

    def is_valid(self) -> bool:
        """Check all parts, then what they mean together; `asked` is the request then. Errors stand beside their fields."""
        parts: list[Any] = [self.request, self.query, self.headers, self.form, self.files]
        fine = {part.is_valid() for part in parts} == {True}  # every part is looked at, whatever another says
        body = self._body()
        if not fine:
            self._name_rows()
            return False
        asked = self._asked(body)
        if not self.request.errors and self._together(asked) and self._permitted(asked):
            self.asked = asked
        return self.asked is not None

    def _name_rows(self) -> None:
        """A page that was refused says above what its rows have."""
        groups = {"query parameters": self.query, "headers": self.headers, "form data": self.form, "files": self.files}
        named = [name for name, rows in groups.items() if any(form.errors for form in rows)]
        if named:
            self.request.add_error(None, f"Look again at the rows of: {', '.join(named)}.")

    def _body(self) -> Any:
        kind = next(
            (value for name, value in _typed(self.headers) if name.lower() == "content-type"), "application/json"
        )
        try:
            return read_data(self.request.cleaned_data.get("payload", ""), kind)
        except ValueError as problem:
            self.request.add_error("payload", str(problem))
            return None

    def _asked(self, body: Any) -> Asked:
        found = self.request.cleaned_data
        return Asked(
            method=found["method"],
            path=found["path"],
            query=_typed(self.query),
            headers=_typed(self.headers),
            body=body,
            form=_typed(self.form),
            files=tuple(_part(form.cleaned_data) for form in self.files if form.cleaned_data.get("file") is not None),
            response_type=found["response_type"],
            stream=isinstance(body, dict) and body.get("stream") is True,
            timeout=found["timeout"] / 1000,
            retries=policy_of(found),
        )

    def _together(self, asked: Asked) -> bool:
        try:
            outgoing.check_body(asked)
        except NotPassedOn as problem:
            self.request.add_error("payload", str(problem))
            return False
        return True

    def _permitted(self, asked: Asked) -> bool:
        """What deletes or costs much needs an administrator who says yes to this very request."""
        consequence = costly.consequence(asked.method, asked.path)
        if not consequence or (self.may_do_costly and self.request.cleaned_data["sure"] == self.sure):
            return True
        if self.may_do_costly:
            self.question = consequence
        else:
            self.request.add_error(None, f"{consequence} It needs the role administrator. Ask one to send it.")
        return False


def read_data(text: str, content_type: str) -> Any:
    """The body that was typed: JSON, or the text itself for another content type. Raises ValueError with a sentence."""
    if not text.strip():
        return None
    if "json" not in content_type.lower():
        return text.replace("\r\n", "\n")  # as a browser ends its lines
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as problem:
        raise ValueError(
            f"Line {problem.lineno}, character {problem.colno}: this is not JSON ({problem.msg}). "
            "Correct it, or set the header Content-Type if it is to be something else."
        ) from None
    except RecursionError:
        raise ValueError("This JSON is nested too deeply. Send it from a program.") from None


def policy_of(found: Mapping[str, Any]) -> RetryPolicy:
    delay = None if found["backoff"] else found["retry_delay"] / 1000
    return RetryPolicy(
        count=found["max_retries"], delay=delay, backoff=found["backoff"], on_all_errors=found["retry_all"]
    )


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a value of JSON. Use a number, a text, or null.")


def _below(typed: str, base_url: str) -> str:
    """OpenAI's reference writes /v1 before its paths; where the base URL ends with it, it is not sent twice."""
    path = typed if typed.startswith("/") else f"/{typed}"
    return path.removeprefix("/v1") if path.startswith("/v1/") and urlsplit(base_url).path.endswith("/v1") else path


def _typed(rows: Rows) -> tuple[tuple[str, str], ...]:
    cleaned = [getattr(form, "cleaned_data", {}) for form in rows]
    found = [(row.get("name", ""), row.get("value", "")) for row in cleaned]
    return tuple((name, value.replace("\r\n", "\n")) for name, value in found if name)


def _part(found: Mapping[str, Any]) -> FilePart:
    file: UploadedFile[Any] = found["file"]
    kind = file.content_type or "application/octet-stream"
    return FilePart(found["name"], found.get("file_name") or str(file.name), kind, file, file.size or 0)  # type: ignore[arg-type]  # it reads and seeks as a file does


def _initial(again: Asked | None) -> dict[str, Any]:
    if again is None:
        return {}
    kind = next((value for name, value in again.headers if name.lower() == "content-type"), "application/json")
    text = outgoing.is_text(again.body, kind)
    written = "" if again.body is None else json.dumps(again.body, indent=2, ensure_ascii=False)
    payload = again.body if text else written
    found = {
        "method": again.method,
        "path": again.path,
        "payload": payload,
        "response_type": again.response_type,
        "timeout": round(again.timeout * 1000),
    }
    policy = again.retries
    if policy is not None:
        delay = 0 if policy.delay is None else round(policy.delay * 1000)
        found |= {"max_retries": policy.count, "retry_delay": delay}
        found |= {"backoff": policy.count > 0 and policy.backoff, "retry_all": policy.on_all_errors}
    return found


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _files(again: Asked | None) -> list[dict[str, str]]:
    return [{"name": part.field, "file_name": part.name} for part in again.files] if again else []


def _in_use(form: forms.Form) -> bool:
    if form.is_bound:
        return bool(form.errors) or form.has_changed()
    return bool(form.initial)


def _differs(form: forms.Form, name: str) -> bool:
    if name in form.errors:
        return True
    value, usual = form[name].value(), form.fields[name].initial or 0
    return str(value or 0) not in (str(usual), "False")
