"""lab up: install what is missing, make what is missing, start what is down."""

import os
from concurrent.futures import ThreadPoolExecutor

from .. import settings
from ..base import process
from ..base.files import write_private
from ..base.lock import exclusive
from ..base.progress import Progress, wait_until, warn
from ..base.run import LabError, run, service_environment
from ..hypervisor import host, network
from ..hypervisor.machine import all_machines
from ..install import apt, cache, image, venv
from ..services import catalog, config, mariadb, schema

BUSY = "another `lab up` or `lab down` is at work; waiting for it"
OWNER = settings.RUN / "owner"  # whose state the running lab uses
IDENTITY_SEEDED = settings.STATE / ".identity-seeded"


def up(quiet: bool) -> None:
    progress = Progress(quiet)
    with exclusive(patient_message=BUSY):
        _claim()
        if is_up():
            progress.say("the lab is up")
            return
        _prepare_folders()
        with ThreadPoolExecutor() as pool:
            with progress.step("Debian packages"):
                apt.ensure()
            host.refuse_conflicts()
            pictures = pool.submit(_step, progress, "machine images", image.ensure)
            tables = pool.submit(_step, progress, "database", _prepare_database)
            with progress.step("Python environment"):
                venv.ensure()
            config.ensure_keys()
            config.write_all()
            tables.result()
            if not schema.ready():
                with progress.step("database tables", announce=True):
                    schema.create()
            _start_apis()
            # The guard makes whole ranges unreachable, maybe the package mirror's too: every download comes before it,
            # and every leg and machine after it.
            pictures.result()
            _guard_host()
            network.ensure_hypervisor()
            catalog.start(catalog.AGENT)
            machines = pool.submit(_start_machines, progress)
            _make_cloud(progress)
            machines.result()
        cache.use(*image.paths(), venv.path(), schema.archive())
        cache.prune([machine.config.image for machine in all_machines() if machine.defined])
        write_private(settings.RUN / "ready", catalog.code_fingerprint())
        progress.say("the lab is up: lab.sh status shows it, lab.sh env prints how to reach its API")


def is_up() -> bool:
    ready = settings.RUN / "ready"
    return (
        ready.exists()
        and ready.read_text() == catalog.code_fingerprint()
        and catalog.database_up()
        and all(catalog.up(service) for service in catalog.SERVICES)
        and all(folder.exists() for folder in image.paths())
        and host.guarded()
        and len(host.legs()) == len(settings.PROJECTS)
    )


def _claim() -> None:
    """One lab per host: its ports, namespaces and interfaces have fixed names."""
    mine = str(settings.STATE)
    if OWNER.exists() and (owner := OWNER.read_text()) != mine and process.recall(mariadb.NAME):
        raise LabError(f"a lab with its state in {owner} is running on this host. "
                       f"Stop it first: HA_CLUSTER_LAB_STATE={owner} {settings.LAB / 'lab.sh'} down")
    write_private(OWNER, mine)


def _prepare_folders() -> None:
    for folder in (settings.STATE, settings.RUN):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    for folder in (settings.MACHINES, settings.LOGS):
        folder.mkdir(exist_ok=True)
    free = os.statvfs(settings.STATE)
    if free.f_bavail * free.f_frsize < 4 << 30:
        warn(f"less than 4 GiB are free below {settings.STATE}; machines may run out of disk")


def _step(progress: Progress, text: str, action) -> None:
    with progress.step(text):
        action()


def _prepare_database() -> None:
    if not schema.ready() and not schema.restore() and not mariadb.installed():
        mariadb.install()
    mariadb.start(hasty=not schema.ready())


def _guard_host() -> None:
    if not host.guarded():
        for mirror in host.hidden_mirrors():
            warn(f"the mirror {mirror} lies in a range that the lab makes unreachable: this host can't install from "
                 "it, or from others at that address, until `lab.sh down`")
    host.guard()
    host.allow_many_machines()


def _start_machines(progress: Progress) -> None:
    """Power on what ran before, as soon as the rules of their ports are in force."""
    waiting = [machine for machine in all_machines() if machine.defined and machine.wanted and not machine.running()]
    if not waiting:
        return
    wait_until(settings.RULES_FILE.exists, 30, f"the agent's first rules (see {catalog.AGENT.log})")

    def start(machine):
        try:
            machine.start()
        except LabError as error:  # the others are to start all the same
            warn(str(error))

    with progress.step(f"{len(waiting)} machines powered on"), ThreadPoolExecutor(4) as pool:
        list(pool.map(start, waiting))


def _start_apis() -> None:
    """Start what needs neither the guard nor another service; nobody waits for them yet."""
    for service in (catalog.KEYSTONE, catalog.PLACEMENT, catalog.NEUTRON, catalog.GLANCE):
        catalog.start(service)
    if not IDENTITY_SEEDED.exists():
        _bootstrap()


def _make_cloud(progress: Progress) -> None:
    with progress.step("Keystone"):
        catalog.wait_ready(catalog.KEYSTONE)
        if not IDENTITY_SEEDED.exists():
            _seed("identity")
            IDENTITY_SEEDED.touch()
    with progress.step("Placement, Nova, Glance, Neutron"):
        catalog.wait_ready(catalog.PLACEMENT)
        catalog.start(catalog.NOVA)
        for service in (catalog.GLANCE, catalog.NEUTRON, catalog.NOVA):
            catalog.wait_ready(service)
    with progress.step("cloud content"):
        _seed("cloud")
        wait_until(lambda: len(host.legs()) == len(settings.PROJECTS), 15,
                   f"the host's legs in the external networks (see {catalog.AGENT.log})")


def _bootstrap() -> None:
    """The admin account. Its password goes by the environment: a command line is for all to see."""
    env = service_environment(**config.environment(), OS_BOOTSTRAP_PASSWORD=config.passwords()["admin"])
    urls = [f"--bootstrap-{kind}-url={settings.KEYSTONE_URL}" for kind in ("public", "internal", "admin")]
    run(venv.path() / "bin/keystone-manage", "--config-file", settings.CONFIG / "keystone/keystone.conf", "bootstrap",
        "--bootstrap-region-id", settings.REGION, *urls, env=env)


def _seed(what: str) -> None:
    run(venv.python(), "-m", "cloudlab.services.seed", what, env=service_environment())


