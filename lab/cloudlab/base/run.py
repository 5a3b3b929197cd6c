"""Running other programs."""

import os
import subprocess

from ..settings import LAB, STATE


class LabError(Exception):
    """A failure to show to a person: says what went wrong and what to do. No stack trace."""


class CommandFailed(LabError):
    """A program ended with a non-zero status; the message holds its own last words."""

    def __init__(self, argv, returncode, output):
        self.returncode = returncode
        super().__init__(f"{' '.join(map(str, argv))}: exit {returncode}: {output.strip()[-2000:]}")


def run(*argv, text_in=None, check=True, env=None, cwd=None, timeout=None):
    """Run a program and capture what it prints.

    Returns the CompletedProcess; raises CommandFailed when `check` and the exit status is not 0.
    """
    done = subprocess.run(
        [str(a) for a in argv], input=text_in, capture_output=True, text=True, env=env, cwd=cwd, timeout=timeout
    )
    if check and done.returncode:
        raise CommandFailed(argv, done.returncode, done.stderr or done.stdout)
    return done


def service_environment(**extra):
    """The environment of every process of the lab: nothing of the caller's but the way to programs."""
    return {
        "PATH": os.environ.get("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(LAB),
        "PYTHONWARNINGS": "ignore",
        "XDG_CACHE_HOME": str(STATE / "cache"),
        **({k: os.environ[k] for k in ("HA_CLUSTER_LAB_STATE", "HA_CLUSTER_CACHE") if k in os.environ}),
        **extra,
    }
