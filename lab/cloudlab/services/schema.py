"""The databases' tables: made by the services' own tools once, then kept in the cache as an archive.

The archive holds tables and nothing of a lab: no password, key or address.
"""

import shutil
import tarfile
from concurrent.futures import ThreadPoolExecutor

from .. import settings
from ..base.files import fingerprint
from ..base.run import run, service_environment
from ..install import venv
from ..settings import CACHE, CONFIG, LAB, LOGS
from . import config, mariadb

MARK = mariadb.DATA / ".schema"


def archive():
    mine = LAB / "cloudlab/services"
    version = run("mariadbd", "--version").stdout
    return CACHE / f"schema-{fingerprint(venv.REQUIREMENTS, mine / 'schema.py', mine / 'mariadb.py', version)}.tar.gz"


def ready() -> bool:
    return MARK.exists()


def restore() -> bool:
    """Lay the saved tables; False when there are none."""
    saved = archive()
    if not saved.exists():
        return False
    shutil.rmtree(mariadb.DATA, ignore_errors=True)
    with tarfile.open(saved) as tar:
        tar.extractall(settings.STATE)
    return True


def create() -> None:
    """Make the tables (about 25 s on two cores) and save them. Needs MariaDB running and the Python environment."""
    mariadb.sql("".join(f"create database if not exists {name};" for name in mariadb.DATABASES))
    with ThreadPoolExecutor() as pool:
        for job in [pool.submit(_small_ones), pool.submit(_neutron), pool.submit(_nova)]:
            job.result()
    mariadb.stop()
    MARK.touch()
    _save()
    mariadb.start()


def _small_ones():
    _manage("keystone", "keystone-manage", "db_sync")
    _manage("placement", "placement-manage", "db", "sync")
    _manage("glance", "glance-manage", "db_sync")


def _neutron():
    _manage("neutron", "neutron-db-manage", "upgrade", "heads")


def _nova():
    _manage("nova", "nova-manage", "api_db", "sync")
    _manage("nova", "nova-manage", "cell_v2", "map_cell0",
            "--database_connection", settings.database_url("nova_cell0"))
    cells = _manage("nova", "nova-manage", "cell_v2", "list_cells")
    if "cell1" not in cells:
        _manage("nova", "nova-manage", "cell_v2", "create_cell", "--name", "cell1", "--transport-url", "fake:/",
                "--database_connection", settings.database_url("nova"))
    _manage("nova", "nova-manage", "db", "sync")


def _manage(service: str, tool: str, *argv: str) -> str:
    file = CONFIG / service / config.FILES[service][1]
    done = run(venv.path() / "bin" / tool, "--config-file", file, *argv,
               env=service_environment(**config.environment()))
    with open(LOGS / "schema.log", "a") as log:
        log.write(done.stdout + done.stderr)
    return done.stdout


def _save() -> None:
    saved = archive()
    saved.parent.mkdir(parents=True, exist_ok=True)
    unfinished = saved.with_name(saved.name + ".new")
    with tarfile.open(unfinished, "w:gz", compresslevel=1) as tar:
        tar.add(mariadb.DATA, arcname=mariadb.DATA.name)
    unfinished.rename(saved)
