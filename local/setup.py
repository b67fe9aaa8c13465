"""Make the environment in ``.venv``, then the dashboard: what ``bin/setup`` runs, with only the standard library.

The packages are those of ``requirements-dev.txt``, by hash. uv installs them when pip can get uv (a few
seconds), pip itself otherwise. Where packages come from is the machine's pip configuration, for both.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = "uv==0.13.8"


class SetupError(Exception):
    """The environment cannot be made; the text says why and what to do."""


def main() -> int:
    """Make what is not there already; concurrent runs wait for the first one."""
    try:
        if not up_to_date(ROOT):
            if not os.access(ROOT, os.W_OK):
                raise SetupError(f"{ROOT} cannot be written by this user: run bin/setup as its owner")
            with one_at_a_time(ROOT):
                if not up_to_date(ROOT):
                    make(ROOT)
    except SetupError as error:
        print(f"bin/setup: {error}", file=sys.stderr)
        return 1
    return front_end(ROOT)


def front_end(root: Path) -> int:
    """Build the dashboard where there is one; returns its exit code."""
    build = root / "local" / "dashboard.py"
    return subprocess.run([sys.executable, "-IS", str(build)], check=False).returncode if build.exists() else 0


def make(root: Path) -> None:
    """Make ``root/.venv`` and install into it. Raises SetupError."""
    print("Relance: setting up .venv (once, up to a minute) …", file=sys.stderr, flush=True)
    environment = root / ".venv"
    create_environment(environment)
    install(environment, root / "requirements-dev.txt")
    (environment / "relance-stamp").write_text(stamp(root))


def stamp(root: Path) -> str:
    """Return what the environment depends on: the packages, this file, and this Python."""
    digest = hashlib.sha256()
    for file in (root / "requirements-dev.txt", Path(__file__)):
        digest.update(file.read_bytes())
    return f"{digest.hexdigest()} {sys.version_info.major}.{sys.version_info.minor} {sys.platform}"


def up_to_date(root: Path) -> bool:
    """Whether the environment is there, whole, and made from what we have now."""
    try:
        made_from = (root / ".venv" / "relance-stamp").read_text()
    except OSError:
        return False
    return made_from == stamp(root) and os.access(root / ".venv" / "bin" / "python", os.X_OK)


@contextmanager
def one_at_a_time(root: Path) -> Iterator[None]:
    """Hold the checkout's lock; the kernel frees it when we end, however we end."""
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def create_environment(environment: Path) -> None:
    """Run ``python3 -m venv``, naming the system package that is missing if one is."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    try:
        import ensurepip
        import venv  # noqa: F401 - Debian ships Python without these two
    except ImportError as error:
        raise SetupError(
            f"this Python cannot make a virtual environment ({error}). On Debian and Ubuntu its package is "
            f"python{version}-venv: apt install python{version}-venv (or python3-venv), then try again"
        ) from None
    assert ensurepip
    clear = [] if same_python(environment, version) else ["--clear"]
    done = run([sys.executable, "-m", "venv", *clear, str(environment)])
    if done.returncode != 0:
        raise SetupError(
            f"python3 -m venv failed (on Debian and Ubuntu: apt install python{version}-venv)\n{done.stdout}"
        )


def same_python(environment: Path, version: str) -> bool:
    """Whether an environment is there already and runs on this version of Python."""
    program = environment / "bin" / "python"
    if not program.exists():
        return False
    return run([str(program), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).stdout.strip() == version


def install(environment: Path, requirements: Path) -> None:
    """Install the pinned packages with uv, else with pip. Raises SetupError with the installer's words."""
    python = str(environment / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    wanted = ["install", "--require-hashes", "-r", str(requirements)]
    if run([*pip, "install", "--quiet", UV]).returncode == 0:
        configured = configuration(run([*pip, "config", "list"]).stdout)
        uv = [str(environment / "bin" / "uv"), "--quiet", "pip", wanted[0], "--python", python, *wanted[1:]]
        if run([*uv, *uv_flags(configured)], {**uv_variables(configured), **os.environ}).returncode == 0:
            return
    done = run([*pip, "--quiet", *wanted])
    if done.returncode != 0:
        raise SetupError(f"the packages of {requirements.name} could not be installed\n{done.stdout}")


def configuration(listed: str) -> dict[str, str]:
    """Read ``pip config list``: the environment wins over the section of ``install``, that over ``global``.

    >>> configuration("global.index-url='http://a'\\n:env:.index-url='http://b'\\nglobal.cert='/c'")
    {'index-url': 'http://b', 'cert': '/c'}
    """
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.splitlines():
        name, equals, value = line.partition("=")
        section, dot, key = name.rpartition(".")
        if equals and dot and section in found:
            found[section][key] = str(ast.literal_eval(value))
    return found["global"] | found["install"] | found[":env:"]


def uv_flags(pip: Mapping[str, str]) -> list[str]:
    """Say to uv what pip's configuration says, as far as flags go.

    >>> uv_flags({"find-links": "/a /b", "no-index": "true"})
    ['--find-links', '/a', '--find-links', '/b', '--no-index']
    """
    flags = [part for place in pip.get("find-links", "").split() for part in ("--find-links", place)]
    if pip.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        flags.append("--no-index")
    for host in pip.get("trusted-host", "").split():
        flags += ["--allow-insecure-host", host]
    return flags


def uv_variables(pip: Mapping[str, str]) -> dict[str, str]:
    """Say to uv what pip's configuration says where an address may hold a password, which no command line should.

    >>> uv_variables({"index-url": "https://a/simple", "timeout": "9"})
    {'UV_INDEX_STRATEGY': 'unsafe-best-match', 'UV_DEFAULT_INDEX': 'https://a/simple', 'UV_HTTP_TIMEOUT': '9'}
    """
    # pip takes the best version of all its indexes; the hashes say whether it is the right file.
    variables = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "cert": "SSL_CERT_FILE",
        "timeout": "UV_HTTP_TIMEOUT",
        "default-timeout": "UV_HTTP_TIMEOUT",
        "proxy": "ALL_PROXY",
    }
    for key, variable in names.items():
        if pip.get(key):
            variables[variable] = " ".join(pip[key].split())
    return variables


def run(command: list[str], environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run quietly; what it said is in ``stdout``."""
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, check=False
    )


if __name__ == "__main__":
    sys.exit(main())
