#!/usr/bin/python3
"""T18: the connection is cut after each byte of a publish and after each byte of its confirm. Whether the broker has it is then
not known to the adapter; offering it again settles it every time, and nothing is recorded twice. FLAGPOST_CUT_EVERY says after
every how many bytes (12 in tools/test, 1 in the shard network)."""

import collections
import os
import pathlib
import queue
import sqlite3
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from cutting import DOWN, UP, Cutting  # noqa: E402
from feeding import AUDITOR, Feeding  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import main, until  # noqa: E402

EVERY = int(os.environ.get("FLAGPOST_CUT_EVERY", "12"))
FORCES = [f"police/{number}" for number in range(31, 39)]


class CutAnywhere(Feeding):
    agencies = [*FORCES, AUDITOR]

    def setUp(self):
        super().setUp()
        self.start_broker()
        self.proxies, self.published = {}, collections.Counter()
        for force in FORCES:
            self.proxies[force] = Cutting(self.partnership.port)
            self.addCleanup(self.proxies[force].close)
            self.config(force, self.proxies[force].port)
            self.feed(force)
        for force in FORCES:
            until(lambda f=force: self.connected(f), 30, f"{force} is connected")
            until(lambda f=force: self.quiet(f), 30, f"{force} has said all it says at first")

    def quiet(self, force):
        before = self.proxies[force].counted()
        threading.Event().wait(0.3)
        return self.proxies[force].counted() == before

    def publish_one(self, force):
        """One incident, always as long as the others; returns when it is confirmed."""
        number = self.published[force]
        self.published[force] += 1
        self.put(force, f"n{number:05}.csv", 1)
        self.all_are_confirmed(force, number + 1, 60)

    def lengths(self):
        """Bytes of one publish, and of its confirm, as they are on the wire."""
        force = FORCES[0]
        before = self.proxies[force].counted()
        self.publish_one(force)
        after = self.proxies[force].counted()
        return after[UP] - before[UP], after[DOWN] - before[DOWN]

    def cut_at_each(self, force, places, failures):
        try:
            while True:
                way, count = places.get_nowait()
                self.proxies[force].cut_after(way, count)
                self.publish_one(force)
        except queue.Empty:
            pass
        except Exception as failure:  # noqa: BLE001 (told by the test's own thread)
            failures.append((force, failure))

    def test_an_ambiguous_publish_is_settled_by_offering_it_again(self):
        up, down = self.lengths()
        places, failures = queue.Queue(), []
        for way, length in ((UP, up), (DOWN, down)):
            for count in range(1, length + 1, EVERY):
                places.put((way, count))
        asked = places.qsize()
        cutters = [threading.Thread(target=self.cut_at_each, args=(force, places, failures)) for force in FORCES]
        for cutter in cutters:
            cutter.start()
        for cutter in cutters:
            cutter.join()
        self.assertEqual(failures, [])
        cuts = sum(proxy.cuts for proxy in self.proxies.values())
        self.assertGreaterEqual(cuts, asked * 0.95, "nearly every place was one where the connection was cut")

        recorded = collections.Counter()
        for leaf in self.leaves():
            if leaf["kind"] == "published" and leaf.get("topic", "").startswith("incidents/"):
                recorded[(leaf["topic"], *leaf["subjects"])] += 1
        self.assertEqual(len(recorded), sum(self.published.values()))
        self.assertEqual(set(recorded.values()), {1}, "each incident is in the log once")
        self.control(recorded)
        repeated = self.figures_of_the_broker()["repeated"]
        self.assertGreater(repeated, 0, "some had been recorded when they were offered again")
        figure("T18", publish_bytes=up, confirm_bytes=down, cuts=cuts, had_been_recorded=repeated, settled_percent=100, twice=0)

    def control(self, recorded):
        """A sender that makes its message anew instead of offering the same bytes does put it into the log twice."""
        force = FORCES[0]
        self.published[force] += 1
        with sqlite3.connect(self.named(force, ".db"), timeout=30) as box:  # or it knows that it has sent this version
            box.execute("DELETE FROM fact WHERE name LIKE 'incident/%'")
        box.close()
        self.put(force, "n00000.csv", 1, circumstances="Made anew")
        self.all_are_confirmed(force, self.published[force])
        again = collections.Counter((leaf["topic"], *leaf["subjects"]) for leaf in self.leaves()
                                    if leaf["kind"] == "published" and leaf.get("topic") == f"incidents/{force[-2:]}")
        self.assertEqual(sorted(again.values())[-1], 2)


main()
