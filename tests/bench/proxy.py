"""The proxy, with every call durable before it is sent, against no proxy and against other gateways. See README.md here.

One process each, side by side in one run: each round measures every alternative once, for as short a time as says something, and
compares them, so that a machine that is slower for a while is so for all. The median of the rounds counts.
Whatever is measured has one processor to itself; load and far side have another, as in the figures that gateways publish.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx

from tests.tools import ROOT, free_port, wait_until

ROUNDS, SECONDS = 7, 2
GATEWAY, LOAD = 0, 1
BODY = '{"model":"gpt-6-luna","input":"hello there"}'
MAKE = """
from connections.models import Connection, Installation
from proxy.models import Token, digest, new_token
connection = Connection.objects.create(name="far side", base_url="{far}/v1")
connection.set_key("sk-of-the-far-side-0123456789")
connection.save()
installation = Installation.objects.create(
    name="bench", connection=connection, model="gpt-6-luna", throttle_limit=10_000_000, concurrent_connections=1000,
    webhook_key_digest="none", webhook_key_last4="none")
token = new_token()
Token.objects.create(name="bench", digest=digest(token), last4=token[-4:]).installations.add(installation)
print("/proxy/%s/v1/responses %s" % (installation.pk, token))
"""


@dataclass
class Alternative:
    """Something that answers `POST url`. `headers` go with each request."""

    name: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)

    def answers(self) -> bool:
        try:
            headers = {"content-type": "application/json", **self.headers}
            return httpx.post(self.url, content=BODY, headers=headers, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False


@dataclass
class Figures:
    """Requests a second, and milliseconds of the median answer."""

    rate: float
    middle: float


def load(alternative: Alternative, connections: int, seconds: int = SECONDS) -> Figures:
    headers = "".join(f'wrk.headers["{name}"]={value!r}\n' for name, value in alternative.headers.items())
    script = f"wrk.method='POST'\nwrk.body='{BODY}'\nwrk.headers['content-type']='application/json'\n{headers}"
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "-s", file.name, alternative.url]
        with on(LOAD):
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said:
        raise RuntimeError(f"{alternative.name} refused: {said}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    middle = re.search(r"50%\s+([\d.]+)(us|ms|s)", said)
    assert rate and middle, said
    return Figures(float(rate[1]), float(middle[1]) * {"us": 0.001, "ms": 1, "s": 1000}[middle[2]])


@contextmanager
def process(command: list[str], processor: int, **environment: str) -> Iterator[None]:
    with on(processor):
        running = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    try:
        yield
    finally:
        running.terminate()
        running.wait(10)


@contextmanager
def on(processor: int) -> Iterator[None]:
    """What is started inside runs on this one of the machine's processors; of a machine with one, on that."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[processor % len(before)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def far_side(latency: float) -> Iterator[str]:
    port = free_port()
    with process([sys.executable, "-m", "tests.bench.far_side", str(port), str(latency)], LOAD):
        address = f"http://127.0.0.1:{port}"
        wait_until(Alternative("far side", address).answers)
        yield address


@contextmanager
def patchbay(far: str) -> Iterator[Alternative]:
    """One web process of the program, with a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        environment = {
            "VAR_DIR": folder,
            "PORT": str(port),
            "SANDBOX_PORT": str(free_port()),
            "ALLOW_PRIVATE_ADDRESSES": "127.0.0.0/8",
        }
        make = "import start; start.make_secrets(start.var_dir())"
        for command in ([sys.executable, "-c", make], [sys.executable, "manage.py", "migrate", "-v", "0"]):
            subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL)
        command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", MAKE.format(far=far)]
        made = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **environment}, check=True, capture_output=True, text=True
        )
        path, token = made.stdout.split()[-2:]
        with process([sys.executable, "-m", "config.serve"], GATEWAY, **environment):
            alternative = Alternative(
                "Patchbay", f"http://127.0.0.1:{port}{path}", {"authorization": f"Bearer {token}"}
            )
            wait_until(alternative.answers, 30)
            yield alternative


@contextmanager
def portkey(far: str, folder: str) -> Iterator[Alternative]:
    port = free_port()
    server = Path(folder) / "node_modules/@portkey-ai/gateway/build/start-server.js"
    with process(["node", str(server), f"--port={port}", "--headless"], GATEWAY):
        headers = {"authorization": "Bearer sk-x", "x-portkey-provider": "openai", "x-portkey-custom-host": f"{far}/v1"}
        alternative = Alternative("Portkey", f"http://127.0.0.1:{port}/v1/responses", headers)
        wait_until(alternative.answers, 30)
        yield alternative


@contextmanager
def litellm(far: str, folder: str) -> Iterator[Alternative]:
    port = free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write(
            "model_list:\n  - model_name: gpt-6-luna\n    litellm_params:\n      model: openai/gpt-6-luna\n"
            f"      api_base: {far}/v1\n      api_key: sk-x\n"
        )
        config.flush()
        command = [f"{folder}/bin/litellm", "--config", config.name, "--host", "127.0.0.1", "--port", str(port)]
        alone = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
        with process([*command, "--telemetry", "False"], GATEWAY, **alone):
            alternative = Alternative(
                "LiteLLM", f"http://127.0.0.1:{port}/v1/responses", {"authorization": "Bearer sk-x"}
            )
            wait_until(alternative.answers, 120)
            yield alternative


def measure(latency: float, crowds: tuple[int, ...], others: bool) -> None:
    with ExitStack() as stack:
        far = stack.enter_context(far_side(latency))
        alternatives = [Alternative("direct", f"{far}/v1/responses"), stack.enter_context(patchbay(far))]
        if others and (folder := os.environ.get("PORTKEY")):
            alternatives.append(stack.enter_context(portkey(far, folder)))
        if others and (folder := os.environ.get("LITELLM")):
            alternatives.append(stack.enter_context(litellm(far, folder)))
        for connections in crowds:
            found: dict[str, list[Figures]] = {alternative.name: [] for alternative in alternatives}
            for _ in range(ROUNDS):
                for alternative in alternatives:
                    # The first answer of each connection comes after one latency: the longer, the less it counts.
                    found[alternative.name].append(load(alternative, connections, 2 * SECONDS if latency else SECONDS))
            show(latency, connections, found)


def show(latency: float, connections: int, found: dict[str, list[Figures]]) -> None:
    print(f"\nlatency {latency * 1000:.0f} ms, {connections} connections")
    ours, direct = found["Patchbay"], found["direct"]
    for name, theirs in found.items():
        rate, middle = median(one.rate for one in theirs), median(one.middle for one in theirs)
        added = median(one.middle - plain.middle for one, plain in zip(theirs, direct, strict=True))
        times = sorted(mine.rate / one.rate for mine, one in zip(ours, theirs, strict=True))
        ratio = f"Patchbay does {median(times):.2f} times as many ({times[0]:.2f} to {times[-1]:.2f})"
        print(f"  {name:10} {rate:9.0f}/s  median {middle:8.2f} ms ({added:+.2f} ms over direct)  {ratio}")


if __name__ == "__main__":
    if not shutil.which("wrk"):
        sys.exit("wrk is missing, which makes the load. On Debian: apt-get install wrk")
    began = time.monotonic()
    measure(0.0, (1, 16, 64), others=True)
    measure(0.2, (256,), others=False)
    print(f"\n{time.monotonic() - began:.0f} s")
