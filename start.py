#!/usr/bin/env python3
"""Runs Patchbay with nothing but Python 3.11 and pip: `python3 start.py`, also with `test` and `lint`.

Makes `.venv` from the pinned hashes of the lock files, makes the folder and the secrets that nobody set, then becomes
the supervisor (`jobs/supervisor.py`). Standard library only; no ensurepip, no make.
"""

import base64
import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK_COMMAND = ["pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11", "--generate-hashes"]
LOCK_COMMAND += ["--system-certs", "--no-header", "--no-annotate", "--no-emit-index-url", "--quiet"]
# Older pips look a package named with an extra up anew, past its pin, unless the pin names the extra too.
LOCK_COMMAND += ["--no-strip-extras"]
LOCKS = {
    "requirements.txt": [],
    "requirements-scale.txt": ["--extra", "scale", "-c", "requirements.txt"],
    "requirements-dev.txt": ["--group", "dev", "-c", "requirements.txt"],
}
CHECKS = [
    ["mypy"],
    ["ruff", "check", "."],
    ["ruff", "format", "--check", "."],
    ["manage", "check", "--fail-level", "WARNING"],
    ["manage", "makemigrations", "--check", "--dry-run"],
]
NO_PIP = """pip is missing or older than 22.3, and Patchbay's packages are installed by it.
On Debian and Ubuntu: apt-get install python3-pip
Then run this command again."""
NO_CHROMIUM = """Chromium is not installed, so the tests in a real browser are skipped.
On Debian: apt-get install chromium"""


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - an older Python is told so instead of failing somewhere below
        sys.exit("Patchbay needs Python 3.11 or newer; this is Python %d.%d." % sys.version_info[:2])  # noqa: UP031
    os.chdir(ROOT)
    what, *rest = sys.argv[1:] or ["run"]
    if what == "run" and not rest:
        return run()
    if what == "test":
        return test(rest)
    if what == "lint" and not rest:
        return lint()
    sys.exit("Say `python3 start.py` to run, `python3 start.py test [pytest options]`, or `python3 start.py lint`.")


def run() -> int:
    install("requirements.txt")
    make_secrets(var_dir())
    os.execv(PYTHON, [str(PYTHON), "-m", "jobs.supervisor"])  # noqa: S606 - our own interpreter, our own module


def test(options: list[str]) -> int:
    install("requirements-dev.txt")
    if not shutil.which("chromium"):
        sys.stderr.write(NO_CHROMIUM + "\n")
    # The tests start many processes: what Python compiled for one of them is kept for the next, beside the packages.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(VENV / "compiled")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    # One more than the two cores that the suite is made for: who waits for a program or a browser leaves its core free.
    return subprocess.run([PYTHON, "-m", "pytest", "-n", "3", *options], env=environment).returncode


def lint() -> int:
    """Every check, even after one failed. The database of `manage.py` checks is an empty folder's."""
    install("requirements-dev.txt")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as two_at_once:
        os.environ["VAR_DIR"] = folder
        make_secrets(Path(folder))
        checks = two_at_once.map(passes, CHECKS)
        locks = two_at_once.map(lock_fits, LOCKS, [Path(folder)] * len(LOCKS))
        failed = [" ".join(check) for check, fine in zip(CHECKS, checks, strict=True) if not fine]
        failed += [f"{name} does not fit pyproject.toml" for name, fine in zip(LOCKS, locks, strict=True) if not fine]
    for one in failed:
        sys.stderr.write(f"Failed: {one}\n")
    return 1 if failed else 0


def passes(check: list[str]) -> bool:
    """Says at its end what it has to say, so that two checks don't talk at once."""
    done = subprocess.run([PYTHON, "-m", *check], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    sys.stderr.write(done.stdout)
    return done.returncode == 0


def lock_fits(name: str, folder: Path) -> bool:
    """Compiles the lock file again over a copy of itself: pins stay, so a newer release elsewhere is no failure."""
    copy = folder / name
    shutil.copyfile(ROOT / name, copy)
    made = subprocess.run([PYTHON, "-m", "uv", *LOCK_COMMAND, *LOCKS[name], "--output-file", copy])
    if made.returncode:
        return False
    return copy.read_bytes() == (ROOT / name).read_bytes()


def install(lock_file: str) -> None:
    """Installs what the lock file pins, once for each content of it. Two starts at once wait for each other."""
    lock = ROOT / lock_file
    stamp, wanted = VENV / f".installed-{lock.stem}", hashlib.sha256(lock.read_bytes()).hexdigest()
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    folder = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--clear", VENV], check=True)
    pip_install(lock)
    stamp.write_text(wanted)
    os.close(folder)


def pip_install(lock: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--python", str(PYTHON), "--disable-pip-version-check"]
    if subprocess.run([*pip, "--version"], capture_output=True).returncode:
        sys.exit(NO_PIP)
    sys.stderr.write(f"Installing the packages that {lock.name} pins.\n")
    options = ["--quiet", "--only-binary", ":all:", "--require-hashes", "-r", str(lock)]
    if subprocess.run([*pip, "install", *options]).returncode:
        sys.exit(
            "The packages could not be installed; what pip says above tells why. Run this command again after that."
        )


def setting(name: str) -> str:
    """A setting as `config/env.py` will read it: the environment first, then the file .env."""
    value = os.environ.get(name, "")
    file = ROOT / ".env"
    for line in file.read_text(encoding="utf-8").splitlines() if not value and file.is_file() else []:
        key, _, text = line.strip().removeprefix("export ").partition("=")
        if key.strip() == name:
            value = text.strip().strip("\"'")
    return value


def var_dir() -> Path:
    """The folder that holds everything Patchbay keeps; its owner's alone."""
    folder = ROOT / (setting("VAR_DIR") or "var")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        sys.exit(
            f"VAR_DIR {folder} can't be used: {error.strerror}. Give VAR_DIR a folder that this user may write to."
        )
    return folder


def make_secrets(folder: Path) -> None:
    """A signing secret and a sealing key, where the settings give none."""
    for name, file in (("SECRET_KEY", "secret_key"), ("SEALING_KEYS", "sealing_keys")):
        if not setting(name) and not (folder / file).exists():
            write_once(folder / file, base64.b64encode(secrets.token_bytes(32)).decode())


def write_once(file: Path, text: str) -> None:
    """Whole or not at all, and never over a file that is there: a lost sealing key loses what it sealed."""
    handle, draft = tempfile.mkstemp(dir=file.parent)  # mode 0600
    with os.fdopen(handle, "w") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(handle)
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)


if __name__ == "__main__":
    sys.exit(main())
