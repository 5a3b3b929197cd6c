"""The services' configuration files, rendered from templates/ into the lab's state, 0600."""

import base64
import json
import os
import secrets
import shutil
from pathlib import Path
from string import Template

from .. import settings
from ..base.files import write_private
from ..base.run import run
from ..install import venv
from ..settings import CONFIG, STATE

TEMPLATES = Path(__file__).with_name("templates")
SECRETS = STATE / "secrets.json"
ACCOUNTS = ("admin", "service", *(project.name for project in settings.PROJECTS))

# service -> (template, file name, database)
FILES = {
    "keystone": ("keystone.conf", "keystone.conf", "keystone"),
    "glance": ("glance-api.conf", "glance-api.conf", "glance"),
    "placement": ("placement.conf", "placement.conf", "placement"),
    "neutron": ("neutron.conf", "neutron.conf", "neutron"),
    "nova": ("nova.conf", "nova.conf", "nova"),
}


def passwords() -> dict[str, str]:
    """The accounts' passwords: random, made at the lab's first start, the lab's own."""
    if not SECRETS.exists():
        write_private(SECRETS, json.dumps({account: secrets.token_urlsafe(24) for account in ACCOUNTS}))
    return json.loads(SECRETS.read_text())


def render(name: str, **values) -> str:
    return Template((TEMPLATES / name).read_text()).substitute(values)


def write_all() -> None:
    """Write every file anew; the same state gives the same files."""
    known = passwords()
    common = {
        "state": STATE, "config": CONFIG, "venv": venv.path(), "region": settings.REGION,
        "keystone_url": settings.KEYSTONE_URL, "glance_url": f"http://127.0.0.1:{settings.PORTS['glance']}",
    }
    credentials = render("credentials.conf", service_password=known["service"], **common)
    token_check = render("token_check.conf", credentials=credentials, **common)
    for service, (template, name, database) in FILES.items():
        write_private(CONFIG / service / name, render(
            template, credentials=credentials, token_check=token_check, database=settings.database_url(database),
            api_database=settings.database_url("nova_api"), **common))
    write_private(CONFIG / "nova" / "policy.yaml", (TEMPLATES / "nova-policy.yaml").read_text())
    shutil.copyfile(venv.path() / "etc/nova/api-paste.ini", CONFIG / "nova" / "api-paste.ini")
    _write_clouds(known)
    for folder in ("glance/store", "glance/staging", "glance/tasks", "nova", "neutron"):
        (STATE / folder).mkdir(parents=True, exist_ok=True)


def _write_clouds(known: dict[str, str]) -> None:
    clouds = [
        render("cloud.yaml", project=project, password=known[project], region=settings.REGION,
               keystone_url=settings.KEYSTONE_URL)
        for project in (*(p.name for p in settings.PROJECTS), "admin")
    ]
    write_private(settings.CLOUDS_YAML, render("clouds.yaml", clouds="".join(clouds)))


def ensure_keys() -> None:
    """Keystone's token and credential keys, and the key of `lab ssh`."""
    for repository in ("fernet", "credential"):
        for number in ("0", "1"):  # the staged and the primary key
            file = STATE / "keys" / repository / number
            if not file.exists():
                write_private(file, base64.urlsafe_b64encode(os.urandom(32)))
                file.parent.chmod(0o700)
    if not settings.SSH_KEY.exists():
        settings.SSH_KEY.parent.mkdir(parents=True, exist_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", settings.SSH_KEY)


def environment() -> dict[str, str]:
    """How each service finds its files."""
    return {f"OS_{service.upper()}_CONFIG_DIR": str(CONFIG / service) for service in FILES} | {
        "OS_NEUTRON_CONFIG_FILES": "neutron.conf"}
