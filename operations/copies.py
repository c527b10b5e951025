"""A request as others would make it: for curl, for OpenAI's package for Python, and as HTTP says it. Never with the key. Pure."""

from __future__ import annotations

import pprint
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from operations.asking import Asked
from operations.outgoing import ACCEPT, is_text, written

KEY = "$OPENAI_API_KEY"
LINE = 110
# What the package gives for an answer that is not JSON.
BINARY = "HttpxBinaryResponseContent"
# What OpenAI's package calls these; it reaches every other path by its method.
METHODS = {
    ("POST", "/responses"): "responses.create",
    ("POST", "/chat/completions"): "chat.completions.create",
    ("POST", "/embeddings"): "embeddings.create",
    ("POST", "/images/generations"): "images.generate",
    ("POST", "/moderations"): "moderations.create",
    ("POST", "/audio/speech"): "audio.speech.create",
    ("GET", "/models"): "models.list",
    ("GET", "/files"): "files.list",
    ("GET", "/batches"): "batches.list",
    ("POST", "/batches"): "batches.create",
}


@dataclass(frozen=True)
class Copy:
    """One way to write it; `id` is for the page."""

    id: str
    label: str
    text: str


def copies(asked: Asked, base_url: str, account: Mapping[str, str]) -> list[Copy]:
    """`account` are the connection's organization and project, as headers; the key stays a variable of the environment."""
    return [
        Copy("curl", "curl", as_curl(asked, base_url, account)),
        Copy("python", "Python, with OpenAI's package", as_python(asked, base_url, account)),
        Copy("raw", "Raw request", as_raw(asked, base_url, account)),
    ]


def as_curl(asked: Asked, base_url: str, account: Mapping[str, str]) -> str:
    lines = [f"curl {_method(asked)}{shlex.quote(_address(asked, base_url))}", f'-H "Authorization: Bearer {KEY}"']
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in _headers(asked, account).items()]
    lines += [f"--form-string {shlex.quote(f'{name}={value}')}" for name, value in asked.form]
    lines += [_curl_file(part.field, part.name, part.content_type) for part in asked.files]
    if asked.body is not None:
        lines.append(f"--data-binary {shlex.quote(_body(asked))}")
    if asked.response_type == "binary":
        lines.append("--output answer")
    return " \\\n  ".join(lines)


def _method(asked: Asked) -> str:
    if asked.method == "HEAD":
        return "--head "
    usual = "POST" if asked.body is not None or asked.multipart else "GET"
    return "" if asked.method == usual else f"-X {asked.method} "


def _curl_file(field: str, name: str, content_type: str) -> str:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    value = f'{field}=@"{quoted}";type={content_type}'
    return f"-F {shlex.quote(value)}"


def as_raw(asked: Asked, base_url: str, account: Mapping[str, str]) -> str:
    """The request line, headers and body as RFC 9112 writes them; parts are named and not spelled out."""
    address = urlsplit(_address(asked, base_url))
    target = address.path + (f"?{address.query}" if address.query else "")
    lines = [f"{asked.method} {target} HTTP/1.1", f"Host: {address.netloc}", f"Authorization: Bearer {KEY}"]
    lines += [f"{name}: {value}" for name, value in _headers(asked, account).items()]
    if asked.multipart:
        lines.append("Content-Type: multipart/form-data; boundary=PART")
        return "\n".join([*lines, "", *_parts(asked), "--PART--"])
    return "\n".join([*lines, "", _body(asked)] if asked.body is not None else lines)


def _parts(asked: Asked) -> list[str]:
    fields = [f'--PART\nContent-Disposition: form-data; name="{name}"\n\n{value}' for name, value in asked.form]
    files = [
        f'--PART\nContent-Disposition: form-data; name="{part.field}"; filename="{part.name}"\n'
        f"Content-Type: {part.content_type}\n\n[{part.size:,} bytes of {part.name}]"
        for part in asked.files
    ]
    return [*fields, *files]


def as_python(asked: Asked, base_url: str, account: Mapping[str, str]) -> str:
    options = [f"base_url={base_url!r}"]
    names = {"OpenAI-Organization": "organization", "OpenAI-Project": "project"}
    options += [f"{names[name]}={value!r}" for name, value in account.items() if name in names]
    head = ["from openai import OpenAI", "", "# The key stands in the environment variable OPENAI_API_KEY."]
    return "\n".join([*head, f"client = OpenAI({', '.join(options)})", *_python_call(asked)])


def _python_call(asked: Asked) -> list[str]:
    method = METHODS.get((asked.method, asked.path))
    streamed = isinstance(asked.body, dict) and asked.body.get("stream") is True
    binary = asked.response_type != "json" or asked.path == "/audio/speech"
    if method and not binary and not asked.multipart and isinstance(asked.body, dict | None):
        return _known(asked, method, streamed)
    return _any(asked, streamed)


def _known(asked: Asked, method: str, streamed: bool) -> list[str]:
    given = dict(asked.body or {})
    if not all(isinstance(name, str) and name.isidentifier() for name in given):
        return _any(asked, streamed)
    extra = {"extra_query": dict(asked.query), "extra_headers": dict(asked.headers)}
    arguments = [*given.items(), *((name, value) for name, value in extra.items() if value)]
    lines = [f"    {name}={_value(value)}," for name, value in arguments]
    call = [f"answer = client.{method}(", *lines, ")"] if lines else [f"answer = client.{method}()"]
    return [*call, *_printed(streamed)]


def _any(asked: Asked, streamed: bool) -> list[str]:
    """By path. The package sends what is in `body`, adds the key, and reads the answer as `cast_to` says."""
    lines: list[str] = []
    arguments = [f"    {asked.path!r},", f"    cast_to={_cast(asked)},"]
    if asked.method not in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        return _by_hand(asked)
    imports = [f"from openai import {BINARY}"] if _cast(asked) == BINARY else []
    if asked.multipart:
        lines, more = _python_parts(asked)
        arguments += more
    elif asked.body is not None:
        text = isinstance(asked.body, str) and any(name.lower() == "content-type" for name, _ in asked.headers)
        arguments.append(f"    content={asked.body!r}," if text else f"    body={_value(asked.body)},")
    options = {name: dict(pairs) for name, pairs in (("params", asked.query), ("headers", _sent(asked))) if pairs}
    if options:
        arguments.append(f"    options={_value(options)},")
    if streamed:
        arguments += ["    stream=True,", "    stream_cls=Stream[object],"]
        imports = ["from openai import Stream", *imports]
    call = f"answer = client.{asked.method.lower()}("
    return [*imports, *lines, call, *arguments, ")", *_printed(streamed, _cast(asked))]


def _by_hand(asked: Asked) -> list[str]:
    """HEAD and OPTIONS, for which the package has no method of its own."""
    below = asked.path.lstrip("/") + (f"?{urlencode(asked.query)}" if asked.query else "")
    account = "{'Authorization': f'Bearer {client.api_key}', **client.default_headers}"
    return [
        "import urllib.request",
        f"headers = {account} | {_value(dict(asked.headers))}",
        f"address = str(client.base_url) + {below!r}",
        f"request = urllib.request.Request(address, method={asked.method!r}, headers=headers)",
        "print(urllib.request.urlopen(request).headers)",
    ]


def _python_parts(asked: Asked) -> tuple[list[str], list[str]]:
    files = [
        f"    ({part.field!r}, ({part.name!r}, Path({part.name!r}).read_bytes(), {part.content_type!r})),"
        for part in asked.files
    ]
    arguments = ["    files=files,"]
    if asked.form:
        arguments.append(f"    body={_value(dict(asked.form))},")
    return (["from pathlib import Path", "files = [", *files, "]"] if files else ["files = []"]), arguments


def _sent(asked: Asked) -> tuple[tuple[str, str], ...]:
    kind = (("Content-Type", "multipart/form-data"),) if asked.multipart else ()
    return (*kind, *asked.headers)


def _cast(asked: Asked) -> str:
    return "object" if asked.response_type == "json" and asked.path != "/audio/speech" else BINARY


def _printed(streamed: bool, cast: str = "object") -> list[str]:
    if streamed:
        return ["for event in answer:", "    print(event)"]
    return ["print(answer.content)"] if cast == BINARY else ["print(answer)"]


def _value(value: object) -> str:
    """A literal of Python, its lines indented as an argument is."""
    return pprint.pformat(value, width=LINE, sort_dicts=False).replace("\n", "\n    ")


def _address(asked: Asked, base_url: str) -> str:
    return base_url.rstrip("/") + asked.path + (f"?{urlencode(asked.query)}" if asked.query else "")


def _headers(asked: Asked, account: Mapping[str, str]) -> dict[str, str]:
    given = {name.lower() for name, _ in asked.headers}
    usual = {} if "accept" in given else {"Accept": ACCEPT[asked.response_type]}
    if asked.body is not None and "content-type" not in given:
        usual["Content-Type"] = "application/json"
    return usual | dict(asked.headers) | {name: value for name, value in account.items() if name != "Authorization"}


def _body(asked: Asked) -> str:
    kind = next((value for name, value in asked.headers if name.lower() == "content-type"), "application/json")
    return str(asked.body) if is_text(asked.body, kind) else written(asked.body).decode()
