"""One server process of ours: started on a leash, waited for, killed, stopped, found again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.place import Account

LEASH = Path(__file__).with_name("leash.py")
MINIMAL_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}

# The kernel's leash is tied to the *thread* that started the child. One thread that lives as long as the
# process starts them all; else a test that starts a server in a short-lived thread would lose it.
_STARTER = ThreadPoolExecutor(1, "starter")


class ServerError(Exception):
    """A server did not start; the text ends with the last lines of its log."""


def on_leash(
    command: Sequence[str],
    *,
    log: Path,
    end_with: signal.Signals,
    account: Account | None = None,
    environment: Mapping[str, str] = MINIMAL_ENVIRONMENT,
    cwd: Path = Path("/"),
    keep: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start ``command``, its output appended to ``log``; it gets ``end_with`` when this process ends.

    ``keep``: further file descriptors that it inherits under their numbers.
    """
    leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), str(int(end_with))]
    if account is not None:
        leash.append(f"{account.uid}:{account.gid}")
    with log.open("ab") as output:
        return _STARTER.submit(
            subprocess.Popen[bytes],
            [*leash, "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            cwd=cwd,
            start_new_session=True,
            pass_fds=tuple(keep),
        ).result()


class Server:
    """A process that serves one folder.

    ``ready`` says whether it answers; ``pid_file`` holds the pid it wrote itself on its first line, and
    its working directory is ``folder``: by these two a left-over of a dead command is recognised.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        folder: Path,
        pid_file: Path,
        log: Path,
        ready: Callable[[], bool],
        account: Account | None = None,
        stop_with: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.folder = folder
        self.pid_file = pid_file
        self.log = log
        self.account = account
        self.stop_with = stop_with
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self, timeout: float = 30.0) -> None:
        """Start it and wait until it answers; nothing happens when it runs already. Raises ServerError."""
        if self.pid is not None:
            return
        deadline = time.monotonic() + timeout
        self.stop_left_over()
        crashed = self.pid_file.exists()
        while True:
            process = self._process = on_leash(
                self.command, log=self.log, end_with=self.stop_with, account=self.account
            )
            while process.poll() is None and time.monotonic() < deadline:
                if self._ready():
                    return
                time.sleep(0.005)
            if time.monotonic() >= deadline:
                self.kill()
                raise ServerError(f"{self.name} did not start in {timeout:g} s\n{last_lines(self.log)}")
            # It ended by itself: a crashed predecessor's children may still be on their way out.
            if not crashed or time.monotonic() >= deadline - timeout + 5:
                raise ServerError(f"{self.name} ended with {process.returncode}\n{last_lines(self.log)}")
            time.sleep(0.1)

    def stop(self, timeout: float = 15.0) -> None:
        """Ask it to end, wait, and kill it when it does not."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(self.stop_with)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill it as a crash would (SIGKILL), and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        """Stop it in good order, start it again."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Stop its main process without ending it (SIGSTOP)."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on (SIGCONT)."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def left_over(self) -> int | None:
        """Return the pid of a server that still serves this folder though nobody owns it any more."""
        try:
            pid = int(self.pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if serves(pid, self.folder) else None

    def stop_left_over(self, timeout: float = 10.0) -> None:
        """Stop what a dead command left running here; forget a pid that means another process now."""
        pid = self.left_over()
        if pid is None:
            self._forget_reused_pid()
            return
        deadline = time.monotonic() + timeout
        os.kill(pid, self.stop_with)
        while serves(pid, self.folder):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                deadline += timeout
            time.sleep(0.01)

    def _forget_reused_pid(self) -> None:
        try:
            pid = int(self.pid_file.read_text().split("\n", 1)[0])
            os.kill(pid, 0)
        except (OSError, ValueError):
            return  # dead: the server itself cleans up, after its own look at shared memory
        self.pid_file.unlink(missing_ok=True)


def serves(pid: int, folder: Path) -> bool:
    """Whether process ``pid`` lives and works in ``folder``."""
    link = Path(f"/proc/{pid}/cwd")
    if link.parent.parent.joinpath("self").exists():
        try:
            return Path(os.readlink(link)) == folder.resolve()
        except OSError:
            return False
    shown = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return str(folder) in shown.stdout


def last_lines(log: Path, count: int = 15) -> str:
    """Return the end of a log, for an error's text."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError as error:
        return f"(its log cannot be read: {error})"
    return "\n".join(f"  {line}" for line in lines[-count:]) or "  (its log is empty)"
