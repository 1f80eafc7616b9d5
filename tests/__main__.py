"""``python3 -m tests``: make this machine ready, then lint and run every test; exits nonzero if anything failed.

It starts on a bare Debian: until the packages are in ``.venv`` it uses nothing but the standard library. Arguments are
handed to pytest: ``python3 -m tests tests/models -k conv``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = (ROOT / "requirements.txt", ROOT / "tests" / "requirements.txt")
STAMP = VENV / "requirements.sha256"
BROWSERS = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLAYWRIGHTS = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""


def main(arguments: list[str]) -> int:
    """Prepare, then run every check even if an earlier one failed, so that one run shows all there is to mend."""
    if sys.version_info < (3, 11):  # noqa: UP036 (whatever python3 the machine has runs this file)
        raise SystemExit(f"tests: Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    make_venv()
    install()
    browser = find_browser() or install_browser()
    say(f"browser: {browser or 'none'}")
    failed = [name for name, command in checks(arguments, browser) if not passed(name, command, browser)]
    if not browser and not arguments:
        say(
            "no Chromium was found and none could be installed, so the browser tests did not run. "
            "Install one (apt-get install chromium), or set CHROMIUM to the path of one."
        )
        failed.append("browser tests")
    say(f"FAILED: {', '.join(failed)}" if failed else "all passed")
    return 1 if failed else 0


def checks(arguments: list[str], browser: str | None) -> Iterator[tuple[str, list[str]]]:
    """Names and commands. Browser tests come last and one at a time: they time what they see.

    The tests of one file stay in one process, so that what they share is made once.
    """
    yield "ruff check", ["ruff", "check", "."]
    yield "ruff format", ["ruff", "format", "--check", "."]
    cores, more = str(os.cpu_count() or 1), str((os.cpu_count() or 1) + 1)  # some tests wait for processes
    if arguments:
        yield "pytest", ["pytest", "-n", cores, "--dist", "loadfile", *arguments]
        return
    yield "plain tests", ["pytest", "-n", more, "--dist", "loadfile", "-m", "not browser"]
    if browser:
        yield "browser tests", ["pytest", "-n", "0", "-m", "browser"]


def passed(name: str, command: list[str], browser: str | None) -> bool:
    """Run one check in the environment, showing what it says."""
    say(f"{name}: {' '.join(command)}")
    began = time.monotonic()
    environment = {**os.environ, **({"CHROMIUM": browser} if browser else {})}
    status = subprocess.run([str(PYTHON), "-m", *command], cwd=ROOT, env=environment).returncode
    say(f"{name} {'passed' if status == 0 else f'FAILED (exit status {status})'} in {time.monotonic() - began:.0f} s")
    return status == 0


def make_venv() -> None:
    """Make ``.venv`` if there is none that works."""
    if works(str(PYTHON), "-m", "pip", "--version"):
        return
    # Debian keeps a part of the venv module in a package of its own.
    if not importlib.util.find_spec("ensurepip") and not apt("python3-venv"):
        raise SystemExit("tests: Python's venv module is incomplete. Install it: apt-get install python3-venv")
    say("making .venv")
    if subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)]).returncode:
        raise SystemExit("tests: .venv could not be made; the lines above say why.")


def install() -> None:
    """Install what the requirements name, unless the very same files were installed before."""
    wanted = hashlib.sha256(b"\0".join(path.read_bytes() for path in REQUIREMENTS)).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    say("installing packages into .venv (minutes the first time)")
    files = [part for path in REQUIREMENTS for part in ("-r", str(path))]
    quiet = ["-qq", "--disable-pip-version-check"]  # errors only
    # Compiling all that is installed takes as long again; what is imported is compiled then.
    if subprocess.run([str(PYTHON), "-m", "pip", "install", *quiet, "--no-compile", *files], cwd=ROOT).returncode:
        raise SystemExit("tests: packages could not be installed; the lines above say why. Is there a network?")
    STAMP.write_text(wanted)


def find_browser() -> str | None:
    """A Chromium that starts: the one in ``CHROMIUM``, the system's, or Playwright's own."""
    if chosen := os.environ.get("CHROMIUM"):
        if not works(chosen, "--version"):
            raise SystemExit(f"tests: CHROMIUM is {chosen!r}, which does not start. Correct it or unset it.")
        return chosen
    for name in BROWSERS:
        if (path := shutil.which(name)) and works(path, "--version"):
            return path
    asked = subprocess.run([str(PYTHON), "-c", PLAYWRIGHTS], capture_output=True, text=True)
    path = asked.stdout.strip()
    return path if path and works(path, "--version") else None


def install_browser() -> str | None:
    """Debian's Chromium and a font to draw with if this user may install packages, else Playwright's own."""
    if apt("chromium", "fonts-noto-core") and (path := find_browser()):
        return path
    say("installing Playwright's chromium")
    command = [str(PYTHON), "-m", "playwright", "install", "chromium"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        say(next((line for line in done.stderr.splitlines() if "Error" in line), "it could not be installed"))
    return find_browser()


def apt(*packages: str) -> bool:
    """Install Debian packages, as root or with a sudo that asks for no password; whether that went well."""
    if not shutil.which("apt-get"):
        return False
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if prefix and not works(*prefix, "true"):
        return False
    say(f"installing {' and '.join(packages)} with apt-get")
    command = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    subprocess.run([*command, "update"], stdout=subprocess.DEVNULL)  # may fail in part: what counts is the install
    options = ["install", "--no-install-recommends", *packages]
    return subprocess.run([*command, *options], stdout=subprocess.DEVNULL).returncode == 0


def works(*command: str) -> bool:
    """Whether a command can be run and ends well."""
    try:
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def say(line: str) -> None:
    """One line about what is being done."""
    print(f"tests: {line}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
