"""The commands of lab.sh."""

import argparse
import os
import signal
import sys

from . import settings
from .base.progress import warn
from .base.run import LabError


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="lab.sh", description="The embedded cloud: a real OpenStack on this machine.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name, text, **options):
        return commands.add_parser(name, help=text, description=text, **options)

    add("up", "install, build and start what is missing").add_argument("--quiet", action="store_true")
    down = add("down", "stop everything; the state stays")
    down.add_argument("--wipe", action="store_true", help="remove the state as well")
    down.add_argument("--quiet", action="store_true")
    add("status", "show services, machines and legs (exit status 3: down)").add_argument("--json", action="store_true")
    ssh = add("ssh", "a root shell, or a command, on a machine")
    ssh.add_argument("--project", help="whose server, when several have one of that name (default: dev)")
    ssh.add_argument("name")
    ssh.add_argument("cmd", nargs=argparse.REMAINDER, metavar="CMD")
    add("client", "run a command on the internet's side").add_argument("cmd", nargs=argparse.REMAINDER, metavar="CMD")
    image = add("image", "build an image that up doesn't: of another Debian release")
    image.add_argument("name", choices=[name for name in settings.RELEASES if name != settings.IMAGE])
    console = add("console", "print a machine's console log")
    console.add_argument("--project")
    console.add_argument("name")
    power = add("power", "off: pull the plug; on: start; reset: both")
    power.add_argument("--project")
    power.add_argument("name")
    power.add_argument("action", choices=("off", "on", "reset"))
    fail = add("fail", "make the next action of that kind on a server fail")
    fail.add_argument("--project")
    fail.add_argument("name")
    fail.add_argument("action", choices=("resize",))
    env = add("env", "print the exports for OpenStack clients")
    env.add_argument("project", nargs="?", default=settings.DEFAULT_PROJECT)
    openstack = add("openstack", "run the OpenStack client (project dev, or OS_CLOUD)", add_help=False)
    openstack.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGS")
    add("help", "show this")
    return top


def dispatch(given: argparse.Namespace) -> int:
    from .commands import down, fail, power, reach, status, up
    from .install import image

    match given.command:
        case "up":
            up.up(given.quiet)
        case "down":
            down.down(given.wipe, given.quiet)
        case "status":
            return status.status(given.json)
        case "ssh":
            reach.ssh(given.name, given.cmd, given.project)
        case "client":
            reach.client(given.cmd)
        case "image":
            image.ensure_release(given.name)
        case "console":
            reach.console(given.name, given.project)
        case "power":
            power.power(given.name, given.action, given.project)
        case "fail":
            fail.fail(given.name, given.action, given.project)
        case "env":
            reach.env(given.project)
        case "openstack":
            reach.openstack(given.arguments)
        case "help":
            parser().print_help()
    return 0


def main() -> int:
    os.umask(0o022)  # the machines' files are made with it
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # `openstack` takes options of its own, and argparse would claim those before the first word
    if sys.argv[1:2] == ["openstack"]:
        given = argparse.Namespace(command="openstack", arguments=sys.argv[2:])
    else:
        given = parser().parse_args()
    try:
        return dispatch(given)
    except (LabError, TimeoutError) as error:
        warn(str(error))
        return 1
    except KeyboardInterrupt:
        warn("interrupted. `lab.sh up` goes on from here; `lab.sh down` removes what was started")
        return 130


sys.exit(main())
