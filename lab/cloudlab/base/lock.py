"""One `up` or `down` at a time, whatever the checkout."""

import fcntl
from contextlib import contextmanager
from pathlib import Path

from ..settings import LOCK
from .progress import warn


@contextmanager
def exclusive(path: Path = LOCK, patient_message: str | None = None):
    """Hold the lock on `path`. The kernel drops it when the process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if patient_message:
                warn(patient_message)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
