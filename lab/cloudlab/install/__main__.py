"""`python -m cloudlab.install tests | REQUIREMENTS` makes the tests' environment, or one of a file of pinned
requirements, and prints its folder."""

import sys
from pathlib import Path

from ..base.run import LabError
from . import apt, venv

if len(sys.argv) != 2:
    sys.exit("usage: python -m cloudlab.install tests | REQUIREMENTS")
try:
    if not venv.has_ensurepip():
        apt.ensure(("python3-venv",))
    print(venv.ensure_for_tests() if sys.argv[1] == "tests" else venv.ensure_for(Path(sys.argv[1])))
except LabError as error:
    sys.exit(f"lab: {error}")
