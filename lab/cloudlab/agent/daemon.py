"""The host agent: python -m cloudlab.agent.daemon.

Twice a second it asks Neutron's database whether anything changed and if so renews rules and legs; every two
seconds it bounds the logs.
"""

import time
import traceback

import pymysql

from .. import settings
from ..base import logs
from ..base.files import write_private
from ..hypervisor import network
from ..neutron import apply, read, rules
from . import legs

INTERVAL = 0.4  # seconds
LOG_INTERVAL = 2.0



class Agent:
    def __init__(self):
        self.db = None
        self.mark = None
        self.rules = None

    def follow_neutron(self) -> None:
        try:
            if self.db is None:
                self.db = read.connect()
            mark = read.change_mark(self.db)
            if mark != self.mark:
                self.renew()
                self.mark = mark
        except pymysql.Error:
            traceback.print_exc()
            self.db = None

    def renew(self) -> None:
        began = time.monotonic()
        cloud = read.read_cloud(self.db)
        text = rules.ruleset(cloud)
        if text != self.rules:
            network.ensure_hypervisor()
            apply.apply(text)
            self.rules = text
            write_private(settings.RULES_FILE, text)
            print(f"{time.strftime('%F %T')} {text.count(chr(10))} lines of rules in "
                  f"{time.monotonic() - began:.3f} s", flush=True)
        legs.ensure(read.external_networks(self.db))
        legs.forget_outdated_neighbours(cloud)
        legs.remove_unused_bridges(read.network_ids(self.db))


def bound_logs() -> None:
    for log in settings.LOGS.glob("*.log"):
        logs.bound(log, settings.SERVICE_LOG_LIMIT)
    for console in settings.MACHINES.glob("*/console.log"):
        logs.bound(console, settings.CONSOLE_LOG_LIMIT)


def main() -> None:
    agent = Agent()
    bounded = 0.0
    while True:
        try:
            agent.follow_neutron()
            if time.monotonic() - bounded > LOG_INTERVAL:
                bound_logs()
                bounded = time.monotonic()
        except Exception:  # whatever it was, the next round may succeed, and the others' rules go on
            traceback.print_exc()
        time.sleep(INTERVAL)


if __name__ == "__main__":
    main()
