"""The lab's MariaDB: a unix socket in a folder only root can enter, no TCP port."""

import contextlib

from ..base import process
from ..base.progress import wait_until
from ..base.run import LabError, run, service_environment
from ..settings import LOGS, MYSQL_SOCKET, STATE

NAME = "mariadb"
DATA = STATE / "mysql"
DATABASES = ("keystone", "glance", "placement", "neutron", "nova_api", "nova_cell0", "nova")
OPTIONS = (
    "--no-defaults", "--user=root", f"--datadir={DATA}", f"--socket={MYSQL_SOCKET}", "--skip-networking",
    "--skip-log-bin", "--skip-name-resolve", "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci", "--innodb-buffer-pool-size=128M", "--innodb-log-file-size=32M",
    "--max-connections=400", "--performance-schema=off",
    # written at every commit, to disk once a second: survives the end of the process, and of the host but a second
    "--innodb-flush-log-at-trx-commit=2",
)
# While the tables are made for the first time nothing is worth keeping
HASTY = ("--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--innodb-doublewrite=0")


def installed() -> bool:
    return (DATA / "mysql").is_dir()


def install() -> None:
    DATA.mkdir(parents=True, exist_ok=True)
    run("mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={DATA}",
        "--auth-root-authentication-method=normal", "--skip-test-db")


def sql(text: str, database: str = "") -> list[list[str]]:
    """Run statements and return the rows' columns as text."""
    done = run("mariadb", "--no-defaults", "-uroot", f"--socket={MYSQL_SOCKET}", "--batch", "--skip-column-names",
               *([database] if database else []), text_in=text)
    return [line.split("\t") for line in done.stdout.splitlines()]


def answers() -> bool:
    return run("mariadb", "--no-defaults", "-uroot", f"--socket={MYSQL_SOCKET}", "-e", "select 1",
               check=False).returncode == 0


def start(hasty: bool = False) -> None:
    """Start and wait until it answers. Does nothing when it runs."""
    if process.recall(NAME):
        return
    MYSQL_SOCKET.unlink(missing_ok=True)
    log = LOGS / f"{NAME}.log"
    identity = process.start(NAME, ["mariadbd", *OPTIONS, *(HASTY if hasty else ())], log, service_environment())

    def ready():
        if not process.is_alive(identity):
            raise LabError(f"MariaDB ended at its start. Its last words are in {log}")
        return MYSQL_SOCKET.exists() and answers()

    wait_until(ready, 60, "MariaDB's socket")


def stop(grace: float = 20) -> None:
    process.stop(NAME, grace)
    with contextlib.suppress(FileNotFoundError):
        MYSQL_SOCKET.unlink()
