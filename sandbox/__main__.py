"""``python -m sandbox``: read the arguments, refuse where it must not run, serve until told to stop."""

import argparse
import asyncio
import ipaddress
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from sandbox.app import create_app
from sandbox.settings import Settings

PORT = 8700
REFUSED = 2
SHUTDOWN_SECONDS = 0.2
BACKLOG = 1024


class Refusal(Exception):
    """Why it doesn't start, in one sentence."""


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        _check(options.host)
        settings = Settings(latency_seconds=options.latency)
        asyncio.run(serve(_app(settings, options.state), options.host, options.port))
    except Refusal as refusal:
        sys.stderr.write(f"{refusal}\n")
        return REFUSED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description="A local stand-in for OpenAI.")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=PORT, help="0 takes a free one")
    parser.add_argument("--state", type=Path, help="file that keeps webhook endpoints; without it they are forgotten")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="time that each answer takes")
    return parser


def _check(host: str) -> None:
    if os.environ.get("ENVIRONMENT", "").strip().lower() == "production":
        raise Refusal("The sandbox does not run in production: unset ENVIRONMENT or set it to something else.")
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise Refusal(f"The sandbox listens on loopback only, not on {host}: leave out --host or give 127.0.0.1.")


def _app(settings: Settings, file: Path | None) -> web.Application:
    try:
        return create_app(settings, file)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise Refusal(f"The state file {file} cannot be read ({type(error).__name__}): move it away.") from error


async def serve(app: web.Application, host: str, port: int) -> None:
    """Listen until SIGTERM or SIGINT; requests and streams in progress are then cut off."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        sys.stdout.write(f"The sandbox listens on http://{host}:{runner.addresses[0][1]}/v1\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
    except (OSError, OverflowError) as error:
        raise Refusal(f"The sandbox cannot listen on {host}:{port}: {error}. Choose another --port.") from error


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # taking thousands of remembered responses apart one by one takes most of a second
