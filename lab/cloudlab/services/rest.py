"""A thin client of the OpenStack APIs for the lab's own use, on keystoneauth."""

from keystoneauth1 import adapter, session
from keystoneauth1.identity import v3

from .. import settings


class Api:
    """One service, as one of the lab's accounts in its own project."""

    def __init__(self, service_type: str, account: str, password: str, suffix: str = ""):
        auth = v3.Password(auth_url=settings.KEYSTONE_URL, username=account, password=password, project_name=account,
                           user_domain_name="Default", project_domain_name="Default")
        self._adapter = adapter.Adapter(session.Session(auth), service_type=service_type, interface="public",
                                        connect_retries=5)
        self._suffix = suffix

    def call(self, method: str, path: str, **request):
        """JSON of the answer; raises keystoneauth1's HttpError with the service's own words."""
        answer = self._adapter.request(self._suffix + path, method, **request)
        return answer.json() if answer.content else {}

    def find(self, path: str, key: str, name: str, **filters):
        """The one resource with this name, or None."""
        found = self.call("GET", path, params={"name": name, **filters})[key]
        return next((item for item in found if item["name"] == name), None)

    def ensure(self, path: str, kind: str, name: str, **body):
        """The resource `name`, created with `body` when it isn't there."""
        return (self.find(path, f"{kind}s", name)
                or self.call("POST", path, json={kind: {"name": name, **body}})[kind])
