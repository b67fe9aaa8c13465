"""bin/setup on a bare checkout, with packages from where the machine's pip configuration says."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from local.place import ROOT
from local.setup import configuration, uv_flags, uv_variables


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose only requirement is a wheel in a folder that pip is configured to look into."""
    root = tmp_path / "a checkout"
    for name in ("bin/setup", "local/setup.py"):
        (root / name).parent.mkdir(parents=True)
        shutil.copy(ROOT / name, root / name)
    (tmp_path / "wheels").mkdir()
    require(root, "1.0", hashlib.sha256(wheel(tmp_path / "wheels", "1.0").read_bytes()).hexdigest())
    return root


def wheel(folder: Path, version: str) -> Path:
    file, info = folder / f"nothing_much-{version}-py3-none-any.whl", f"nothing_much-{version}.dist-info/"
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("nothing_much.py", "said = 'hello'\n")
        packed.writestr(info + "METADATA", f"Metadata-Version: 2.1\nName: nothing-much\nVersion: {version}\n")
        packed.writestr(
            info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        packed.writestr(info + "RECORD", "")
    return file


def require(root: Path, version: str, digest: str) -> None:
    (root / "requirements-dev.txt").write_text(f"nothing-much=={version} --hash=sha256:{digest}\n")


def environment(root: Path, **more: str) -> dict[str, str]:
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_", "PYTHON", "COVERAGE", "COV_"))}
    offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(root.parent / "wheels")}
    here = str(Path(sys.base_prefix) / "bin")
    return bare | offline | {"PATH": f"{here}:{os.environ['PATH']}"} | more


def setup(root: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(root / "bin" / "setup")],
        env=environment(root, **more),
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )


def test_an_environment_is_made_once_even_when_two_ask_and_then_left_alone(checkout: Path) -> None:
    both = [
        subprocess.Popen(
            [str(checkout / "bin" / "setup")], env=environment(checkout), stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("setting up .venv" in words for words in said) == 1
    python = checkout / ".venv" / "bin" / "python"
    shown = subprocess.run([python, "-c", "import nothing_much as n; print(n.said)"], capture_output=True, text=True)
    assert shown.stdout == "hello\n", shown.stderr

    stamp = (checkout / ".venv" / "relance-stamp").stat().st_mtime_ns
    again = setup(checkout)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert (checkout / ".venv" / "relance-stamp").stat().st_mtime_ns == stamp

    wheel(checkout.parent / "wheels", "2.0")
    require(checkout, "2.0", "0" * 64)
    refused = setup(checkout)
    assert refused.returncode == 1
    assert "could not be installed" in refused.stderr
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in refused.stderr


def test_a_python_without_venv_is_told_the_package_to_install(checkout: Path) -> None:
    trap = "import sys; sys.modules['ensurepip'] = None; sys.argv = sys.argv[1:]\n"
    trap += "import runpy; runpy.run_path(sys.argv[0], run_name='__main__')\n"
    refused = subprocess.run(
        [sys.executable, "-c", trap, str(checkout / "local" / "setup.py")],
        env=environment(checkout),
        capture_output=True,
        text=True,
        check=False,
    )
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert refused.returncode == 1
    assert f"apt install python{version}-venv" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (checkout / ".venv").exists()


def test_an_old_python_is_named_with_what_is_needed(checkout: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        (old / name).write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
        (old / name).chmod(0o755)
    refused = setup(checkout, PATH=f"{old}:/usr/bin:/bin")
    assert refused.returncode == 1
    assert "needs Python 3.11 or newer; found: Python 3.9.2" in refused.stderr


def test_what_pip_is_told_uv_is_told() -> None:
    listed = (
        "global.extra-index-url='https://one/simple https://two/simple'\n"
        "global.cert='/etc/ca.pem'\n"
        "install.trusted-host='one'\n"
        ":env:.find-links='/wheels'\n"
        ":env:.default-timeout='180'\n"
    )
    pip = configuration(listed)
    assert uv_flags(pip) == ["--find-links", "/wheels", "--allow-insecure-host", "one"]
    assert uv_variables(pip) == {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_INDEX": "https://one/simple https://two/simple",
        "SSL_CERT_FILE": "/etc/ca.pem",
        "UV_HTTP_TIMEOUT": "180",
    }
