"""The Python environments: pinned, cached by the hash of their pins."""

import os
from pathlib import Path

from ..base.files import fingerprint, remove_tree
from ..base.lock import exclusive
from ..base.run import run
from ..settings import CACHE, LAB

UV = "uv==0.13.9"
REQUIREMENTS = LAB / "requirements.txt"  # of the OpenStack services
TEST_REQUIREMENTS = LAB / "requirements-dev.txt"
PYTHON = "/usr/bin/python3"


def path() -> Path:
    return CACHE / f"venv-{fingerprint(REQUIREMENTS, UV, os.path.realpath(PYTHON))}"


def python() -> Path:
    return path() / "bin" / "python"


def ensure() -> None:
    """The services' environment."""
    _ensure(path(), "--requirement", REQUIREMENTS)


def ensure_for_tests() -> Path:
    """The tests' environment; returns its folder."""
    target = CACHE / f"venv-{fingerprint(REQUIREMENTS, TEST_REQUIREMENTS, UV, os.path.realpath(PYTHON))}"
    _ensure(target, "--requirement", TEST_REQUIREMENTS, "--constraint", REQUIREMENTS)
    return target


def ensure_for(requirements: Path) -> Path:
    """An environment of one's own, of pinned requirements; returns its folder."""
    target = CACHE / f"venv-{fingerprint(requirements, UV, os.path.realpath(PYTHON))}"
    _ensure(target, "--requirement", requirements)
    return target


def has_ensurepip() -> bool:
    """Debian splits it off: without it `venv` can't make the environment that uv comes from."""
    return run(PYTHON, "-c", "import ensurepip, venv", check=False).returncode == 0


def _ensure(target: Path, *what) -> None:
    """Build an environment unless it is complete. A half-built one is built again."""
    complete = target / ".complete"
    if complete.exists():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    with exclusive(CACHE / "venv.lock", "another checkout is installing a Python environment; waiting"):
        if complete.exists():
            return
        remove_tree(target)
        uv = _ensure_uv()
        env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        run(uv, "venv", "--quiet", "--python", PYTHON, target, env=env)
        run(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", target / "bin/python", *what, env=env)
        complete.touch()


def _ensure_uv() -> Path:
    tools = CACHE / UV.replace("==", "-")
    uv = tools / "bin" / "uv"
    if not (tools / ".complete").exists():
        remove_tree(tools)
        env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        run(PYTHON, "-m", "venv", tools, env=env)
        run(tools / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", UV, env=env)
        (tools / ".complete").touch()
    return uv
