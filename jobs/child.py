"""Runs a module as a child of the supervisor: `python -m jobs.child MODULE [argument ...]`.

The supervisor holds the other end of a pipe. When it ends, even by kill -9, the pipe closes, and the child ends too:
nothing of Patchbay goes on running unseen. Works the same on every Unix.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

PIPE_VARIABLE = "SUPERVISOR_PIPE"
LAST_CALL = 4.0


def end_with_supervisor(pipe: int) -> None:
    os.read(pipe, 1)  # returns when the other end is closed; nothing is ever written
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_CALL)
    os._exit(1)


def main() -> None:
    pipe = os.environ.pop(PIPE_VARIABLE, "")
    if pipe:
        threading.Thread(target=end_with_supervisor, args=(int(pipe),), daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
