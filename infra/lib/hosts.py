"""Session hosts, as the table and ECS show them."""

import time

from .failure import Failed

# A living host renews its item every 5 s (RENEW_EVERY in transfer/src/lease.rs): three times that, and it has missed two.
MOVES_WITHIN_SECS = 16
LOOK_SECS = 1.0
STOPPED_WITHIN_SECS = 300
STARTED_WITHIN_SECS = 300
# ECS counts a host out when it begins to stop; that takes 40 s at most.
SILENT_WITHIN_SECS = 60


class Seen:
    """Which hosts are alive: those whose renewal moves while one looks. Clocks are not compared."""

    def __init__(self, installation, enough=None):
        self.installation = installation
        self.items = {_id(item): item for item in installation.listed("HOSTS")}
        self.alive = {}
        ends_at = time.monotonic() + MOVES_WITHIN_SECS
        wanted = len(self.items) if enough is None else enough
        while len(self.alive) < wanted and time.monotonic() < ends_at:
            time.sleep(LOOK_SECS)
            for item in installation.listed("HOSTS"):
                before = self.items.setdefault(_id(item), item)
                if _life(item) != _life(before):
                    self.alive[_id(item)] = item

    def versions(self):
        return sorted({item["program_version"]["S"] for item in self.alive.values()})


def wait_until_silent(installation):
    """Returns when no host writes to the table any more, those included that ECS knows nothing of."""
    ends_at = time.monotonic() + SILENT_WITHIN_SECS
    while alive := Seen(installation).alive:
        if time.monotonic() > ends_at:
            raise Failed(f"{len(alive)} hosts still write to the table, and nothing was restored: stop them first")


def _id(item):
    return item["pk"]["S"]


def _life(item):
    return item["incarnation"], item["renewal"]


class Service:
    """The hosts' service in ECS; absent without an image."""

    def __init__(self, installation):
        self._ecs, self._cluster = installation.aws("ecs"), f"ferry-{installation.stage}"
        self._name = f"ferry-{installation.stage}"

    def described(self):
        import botocore.exceptions

        try:
            found = self._ecs.describe_services(cluster=self._cluster, services=[self._name])["services"]
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "ClusterNotFoundException":
                return None
            raise
        return next((service for service in found if service["status"] == "ACTIVE"), None)

    def desired(self):
        service = self.described()
        return int(service["desiredCount"]) if service else 0

    def start_anew_if_older_than(self, moment):
        """ECS hands secrets over when a host starts. Whether hosts start anew."""
        import botocore.exceptions

        service = self.described()
        if service is None or not service["desiredCount"] or max(deployment["createdAt"] for deployment in service["deployments"]) >= moment:
            return False
        self._ecs.update_service(cluster=self._cluster, service=self._name, forceNewDeployment=True)
        try:
            waiter = self._ecs.get_waiter("services_stable")
            waiter.wait(cluster=self._cluster, services=[self._name], WaiterConfig={"Delay": 5, "MaxAttempts": STARTED_WITHIN_SECS // 5})
        except botocore.exceptions.WaiterError:
            raise Failed(f"hosts that start anew with the secrets of now are not all up after {STARTED_WITHIN_SECS} s; look at the service's events") from None
        return True

    def scale(self, count):
        self._ecs.update_service(cluster=self._cluster, service=self._name, desiredCount=count)

    def wait_until_stopped(self):
        ends_at = time.monotonic() + STOPPED_WITHIN_SECS
        while (service := self.described()) and (service["runningCount"] or service["pendingCount"]):
            if time.monotonic() > ends_at:
                raise Failed(f"the hosts still run after {STOPPED_WITHIN_SECS} s; look at the service's events")
            time.sleep(LOOK_SECS)
