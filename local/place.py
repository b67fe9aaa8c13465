"""Where a command keeps its things, and which user runs its database.

``.relance/<command>`` in the checkout, always. PostgreSQL refuses to run as root: root starts it as an
unprivileged user that exists already, and when that user cannot reach the checkout (a 700 home), the
database lives in a folder of its own in the system's temporary space. No folder but ours is changed.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""

LONGEST_BASE = 72
"""Bytes a folder may have so that every socket below it stays within 103 (Linux has 107, macOS 103)."""


class PlaceError(Exception):
    """A folder we need cannot be used; the text says which one, why, and what to do."""


@dataclass(frozen=True)
class Account:
    """The unprivileged user that runs PostgreSQL for root."""

    name: str
    uid: int
    gid: int

    def can(self, script: str, folder: Path) -> bool:
        """Whether this user may do ``script`` (sh; the folder is ``$0``)."""
        done = subprocess.run(
            ["/bin/sh", "-c", script, str(folder)],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return done.returncode == 0


def server_account() -> Account | None:
    """Return who must run PostgreSQL: None for ourselves, else an existing unprivileged user."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "daemon"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise PlaceError("PostgreSQL does not run as root and this machine has no user 'nobody': run as an ordinary user")


def home(command: str) -> Path:
    """Return the folder of ``command`` (``dev``, ``demo``, ``test-123``), made if missing.

    ``.relance/<command>`` of the checkout; where the checkout cannot be written, a folder of this user
    in the system's temporary space.
    """
    wanted = ROOT / ".relance" / command
    try:
        own_folder(wanted.parent)
        return own_folder(wanted)
    except (OSError, PlaceError):
        return temporary(wanted)


def own_folder(path: Path, *, private: bool = False) -> Path:
    """Make ``path`` (its parents too) a folder that only we can list or write.

    Root's may be passed through unless ``private``, because the database's user works below one.
    Raises PlaceError when it is somebody else's or a link.
    """
    path.mkdir(parents=True, exist_ok=True)
    status = path.lstat()
    if not path.is_dir() or path.is_symlink() or status.st_uid != os.geteuid():
        raise PlaceError(f"{path} is not a folder of this user: remove it, or run as the user who made it")
    mode = 0o711 if os.geteuid() == 0 and not private else 0o700
    if status.st_mode & 0o777 != mode:
        path.chmod(mode)
    return path


def temporary(wanted: Path) -> Path:
    """Make and return the stand-in of ``wanted`` in the temporary space."""
    return own_folder(stand_in(wanted))


def stand_in(wanted: Path) -> Path:
    """Name the stand-in of ``wanted`` in the temporary space: always the same, this user's, short."""
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
    space = tempfile.gettempdir()
    if len(os.fsencode(space)) > LONGEST_BASE - 32:
        space = "/tmp"  # noqa: S108 - own_folder refuses a folder somebody else prepared
    return Path(space) / f"relance-{os.geteuid()}-{digest}"


def database_base(home: Path, account: Account | None) -> Path:
    """Return the folder below which the database's files go: ``home`` if its user can get there."""
    own_folder(home)
    if account is None or account.can('cd "$0"', home):
        return home
    return temporary(home)


def socket_base(home: Path, base: Path) -> Path:
    """Return a folder short enough for sockets: below ``base``, else in the temporary space."""
    if len(os.fsencode(base)) <= LONGEST_BASE:
        return own_folder(base / "run")
    return own_folder(temporary(home) / "run")


def given_to(path: Path, account: Account | None) -> Path:
    """Make ``path`` a 0700 folder of the account that runs the database."""
    path.mkdir(exist_ok=True)
    if account is not None:
        os.chown(path, account.uid, account.gid)
    path.chmod(0o700)
    return path


def reachable_binaries(folder: Path, program: str, account: Account | None) -> Path:
    """Return ``folder`` (an installation with ``bin/``), or a copy of it that the account can run."""
    if account is None or account.can(f'exec "$0/bin/{program}" --version', folder):
        return folder
    copies = temporary(folder)
    copy = copies / f"{folder.name}-{int(folder.stat().st_mtime)}"
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(dir=copies))
        tree = Path(shutil.copytree(folder, unfinished / "tree", symlinks=True))
        for path in [tree, *tree.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.stat().st_mode & 0o100 else 0o444))
        with suppress(FileExistsError, NotADirectoryError):  # another command of ours was faster
            tree.rename(copy)
        shutil.rmtree(unfinished, ignore_errors=True)
    return copy
