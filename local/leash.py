"""Run a command on a leash: it ends when the process that started it ends, even by SIGKILL.

``python leash.py PARENT SIGNAL [UID:GID] -- COMMAND …`` becomes COMMAND (same pid), with SIGNAL sent to
it by the kernel when PARENT is gone. With UID:GID it first becomes that user. A PARENT that cannot be
told beforehand is ``-``: the process, itself on a leash, that this one's environment was made in. Only
the standard library, and no package of ours: it is started by path, isolated, in a few milliseconds.

Outside Linux there is no such request to the kernel: the command simply runs, and whoever takes the
data folder next stops what was left behind.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
HOLDER = "RELANCE_LEASH_HOLDER"
"""Set in what we start, to its own pid, for the leashes of its children."""


def die_with_parent(parent: int, number: int) -> None:
    """Ask the kernel for signal ``number`` when the parent ends; exit at once if it already has.

    The kernel forgets the request when the process changes its user: become that user first.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")
    if os.getppid() != parent:
        sys.exit(1)


def become(uid: int, gid: int) -> None:
    """Give up root for ever, every group of it included."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def main(arguments: list[str]) -> None:
    """Read the command line, take the leash, become the command."""
    split = arguments.index("--")
    (parent, number, *account), command = arguments[:split], arguments[split + 1 :]
    if account:
        uid, _, gid = account[0].partition(":")
        become(int(uid), int(gid))
    die_with_parent(int(os.environ[HOLDER] if parent == "-" else parent), int(number))
    os.environ[HOLDER] = str(os.getpid())
    # Python ignores this one, and what is ignored stays so in the command.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvp(command[0], command)  # noqa: S606 - a shell in between would be one more to kill


if __name__ == "__main__":
    main(sys.argv[1:])
