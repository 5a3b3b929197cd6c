"""Progress for people: what was done, and after how many seconds."""

import sys
import threading
import time
from contextlib import contextmanager


class Progress:
    """Prints one line per finished step with the seconds since the start; silent when `quiet`."""

    def __init__(self, quiet: bool = False):
        self.quiet = quiet
        self.start = time.monotonic()
        self._lock = threading.Lock()

    def elapsed(self) -> float:
        return time.monotonic() - self.start

    def say(self, text: str) -> None:
        if not self.quiet:
            with self._lock:
                print(f"{self.elapsed():7.1f} s  {text}", flush=True)

    @contextmanager
    def step(self, text: str, announce: bool = False):
        """Time a step; `announce` also says when it starts, for the long ones."""
        began = time.monotonic()
        if announce:
            self.say(f"{text} …")
        yield
        self.say(f"{text}: {time.monotonic() - began:.1f} s")


def wait_until(condition, seconds: float, describe: str, interval: float = 0.1):
    """Poll until `condition()` is true and return its value; TimeoutError with `describe` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {seconds:g} s still waiting for {describe}")
        time.sleep(interval)


def warn(text: str) -> None:
    print(f"lab: {text}", file=sys.stderr, flush=True)
