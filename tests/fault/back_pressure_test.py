#!/usr/bin/python3
"""More comes in than the disk takes: the broker refuses publishes `busy`, with a time to come again, before its budget is passed. What it refused is not lost:
the feed of a force keeps it and comes again, and somebody who reads his mailbox meanwhile gets what is his."""

import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from client import Client  # noqa: E402
from disk import Disk, put_before  # noqa: E402
from feeding import FORCE  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import main, until  # noqa: E402
from refusing import Refusing  # noqa: E402

BUSY = 10                        # schemas/README.md
BUDGET_MIB = 64                  # broker/core/limits.h: decided, not yet committed
PAYLOAD = os.urandom(200_000)
FLOOD = 2 * BUDGET_MIB * (1 << 20) // len(PAYLOAD)
INCIDENTS = 300
SYNC_MS = 4_000


class BackPressure(Refusing):
    def test_a_flood_is_refused_in_time_and_nothing_is_dropped(self):
        disk = Disk(self.folder / "disk", self.folder / "broker-data")
        put_before(self.partnership, {"flagpost-broker": disk})
        self.start_broker()
        owed, numbers = self.pending_for("bench/2", 20)
        flood = Client(self, "bench/1")
        self.addCleanup(flood.close)
        self.config(FORCE)
        self.feed(FORCE)
        until(lambda: self.connected(FORCE), 30, "the force is connected")
        base_mib = self.memory_mib("VmRSS")

        disk.set(sync_ms=SYNC_MS)
        sent = {flood.publish("bench/1", PAYLOAD) for _ in range(FLOOD)}
        self.put(FORCE, "day.csv", INCIDENTS)
        owed.acknowledge("bench/2", numbers)
        refused = self.answers(flood, FLOOD, 60, refused_min=1)[1]
        self.assertEqual({reason for reason, _ in refused.values()}, {BUSY})
        self.assertTrue(all(retry_ms > 0 for _, retry_ms in refused.values()), "it says when to come again")
        disk.set(sync_ms=0)
        began = time.monotonic()
        confirmed, more = self.answers(flood, FLOOD - len(refused), 60)
        refused |= more
        self.assertEqual(confirmed | set(refused), sent, "each is answered")
        self.all_are_confirmed(FORCE, INCIDENTS)
        over_after_s = round(time.monotonic() - began, 1)
        owed.close()
        self.nothing_comes_again("bench/2")
        peak_mib = self.memory_mib()
        self.assertEqual(self.counts(FORCE), (0, INCIDENTS, 0))
        published = [leaf["message"] for leaf in self.leaves() if leaf["kind"] == "published" and leaf["topic"] == "incidents/31"]
        self.assertEqual((len(published), len(set(published))), (INCIDENTS, INCIDENTS))
        figure("back_pressure", flood=FLOOD, refused_busy=len(refused), grown_mib=peak_mib - base_mib, budget_mib=BUDGET_MIB, over_after_s=over_after_s)
        self.assertLess(peak_mib - base_mib, 4 * BUDGET_MIB)  # as received, as a record, sealed, in SQLite's pages


main()
