"""For test.sh: `python -m cloudlab.install tests` makes the tests' environment and prints its folder."""

import sys

from ..base.run import LabError
from . import apt, venv

if sys.argv[1:] != ["tests"]:
    sys.exit("usage: python -m cloudlab.install tests")
try:
    if not venv.has_ensurepip():
        apt.ensure(("python3-venv",))
    print(venv.ensure_for_tests())
except LabError as error:
    sys.exit(f"lab: {error}")
