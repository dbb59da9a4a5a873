"""A broker that has to refuse: what it answered to a flood, and whether what is owed can still be closed meanwhile."""

import time

from client import Client
from feeding import AUDITOR, FORCE, Feeding


class Refusing(Feeding):
    agencies = [FORCE, AUDITOR, "bench/1", "bench/2"]

    def delivered(self, client, count):
        """The numbers of so many deliveries, not acknowledged yet."""
        numbers = []
        for kind, body in client.heard(time.monotonic() + 30):
            numbers += [body.Number()] if kind == "Deliver" else []
            if len(numbers) == count:
                return numbers
        raise AssertionError(f"{len(numbers)} of {count} were delivered")

    def answers(self, client, count, wait_s, refused_min=None):
        """Ids confirmed and refused, until so many are answered, or so many of them refused."""
        confirmed, refused = set(), {}
        for kind, body in client.heard(time.monotonic() + wait_s):
            if kind == "Confirm":
                confirmed.add(client.stock.octets(body, "Id"))
            if kind == "Refuse":
                refused[client.stock.octets(body, "Id")] = (body.Reason(), body.RetryAfterMs())
            if len(confirmed) + len(refused) >= count or (refused_min and len(refused) >= refused_min):
                break
        return confirmed, refused

    def pending_for(self, agency, count):
        """A consumer with deliveries it has not acknowledged."""
        client = Client(self, agency)
        for _ in range(count):
            client.publish(agency, b"owed")
        for _ in range(count):
            client.wait_for("Confirm")
        client.subscribe("main", [agency])
        return client, self.delivered(client, count)

    def nothing_comes_again(self, agency):
        """What was acknowledged is not delivered at the next attach."""
        client = Client(self, agency)
        client.subscribe("main", [agency])
        again = [body.Number() for kind, body in client.heard(time.monotonic() + 1) if kind == "Deliver"]
        client.close()
        self.assertEqual(again, [])
