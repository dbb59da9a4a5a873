#!/usr/bin/python3
"""kill -9 of adapters at random moments, one while it feeds and one while it receives, with commands on the same boxes all the time:
every incident is published once, every notice is in the inbox once, what people recorded is recorded once. FLAGPOST_KILLS says how
often (20 in tools/test, 300 in the shard network)."""

import collections
import json
import os
import pathlib
import random
import sqlite3
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from children import CHILDREN, flags, incidents  # noqa: E402
from feeding import AUDITOR, FORCE, Feeding  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import Failed, main, until  # noqa: E402

SOCIAL = "social-care/E10000024"
KILLS = int(os.environ.get("FLAGPOST_KILLS", "20"))
SEED, PER_FILE = int(os.environ.get("FLAGPOST_SEED", "7")), 20
CHILD = CHILDREN[:1]


class AdapterKilled(Feeding):
    agencies = [FORCE, SOCIAL, AUDITOR]

    def setUp(self):
        super().setUp()
        self.start_broker()
        for agency in (FORCE, SOCIAL):
            self.config(agency)
        (self.folder / "flags.csv").write_text(flags(CHILD))
        self.partnership.run("flagpost-social-care", SOCIAL, "flags", "load", self.folder / "flags.csv")

    def hand_in(self, name, count=PER_FILE):
        hidden = self.spool(FORCE) / f".{name}"
        hidden.write_text(incidents(CHILD * count, name))
        hidden.rename(self.spool(FORCE) / f"{name}.csv")

    def receive(self):
        return self.partnership.start("flagpost-social-care", SOCIAL, "run")

    def box(self, agency, question):
        file = sqlite3.connect(f"file:{self.named(agency, '.db')}?mode=rw", uri=True, timeout=30)
        try:
            return file.execute(question).fetchall()
        finally:
            file.close()

    def notices(self):
        return [row[0] for row in self.box(SOCIAL, "SELECT reference FROM incoming WHERE reference IS NOT NULL ORDER BY seq")]

    def record_all(self, over, recorded, failures):
        """A person at work the whole time: commands beside the daemon, whichever of them has the box."""
        try:
            while not over.is_set():
                fresh = [reference for reference in self.notices() if reference not in recorded][:5]
                if fresh:
                    self.partnership.run("flagpost-social-care", SOCIAL, "inbox", "record", *fresh, "--by", "Sam Patel", "--outcome", "contacted")
                    recorded.update(fresh)
                json.loads(self.partnership.run("flagpost-police", FORCE, "status", "--json"))
                over.wait(0.2)
        except (Failed, sqlite3.Error) as failure:
            failures.append(failure)

    def test_killed_at_random_they_publish_and_receive_everything_once(self):
        when = random.Random(SEED)
        daemons = {"feeding": self.feed(FORCE), "receiving": self.receive()}
        start = {"feeding": lambda: self.feed(FORCE), "receiving": self.receive}
        over, recorded, failures = threading.Event(), set(), []
        person = threading.Thread(target=self.record_all, args=(over, recorded, failures))
        person.start()
        for number in range(KILLS):
            self.hand_in(f"F{number:04}")
            time.sleep(when.uniform(0.0, 0.8))  # the fault, not a wait: a random moment
            which = when.choice(sorted(daemons))
            daemons[which].kill()
            daemons[which].wait()
            daemons[which] = start[which]()
        count = KILLS * PER_FILE
        try:
            self.all_are_confirmed(FORCE, count, 120)
            until(lambda: len(self.notices()) >= count, 120, "every notice has come")
        finally:
            over.set()
            person.join()
        self.assertEqual(failures, [])
        self.assertEqual(len(self.notices()), count)
        self.assertEqual(len(set(self.notices())), count, "no notice is in the inbox twice")
        recorded_in_box = self.box(SOCIAL, "SELECT count(*) FROM incoming WHERE recorded_us IS NOT NULL")[0][0]
        self.assertEqual(recorded_in_box, len(recorded))
        receipts = "SELECT count(*) FROM outgoing WHERE subject <> '' AND state = 1 AND source LIKE 'notices/%'"
        until(lambda: self.box(SOCIAL, receipts)[0][0] == len(recorded), 60, "every receipt is confirmed")
        leaves = [leaf for leaf in self.leaves() if leaf["kind"] == "published"]
        published = collections.Counter(tuple(leaf["subjects"]) for leaf in leaves if leaf.get("topic") == "incidents/31")
        self.assertEqual((len(published), set(published.values())), (count, {1}), "each incident is in the log once")
        figure("adapter_killed", kills=KILLS, incidents=count, recorded_meanwhile=len(recorded), lost=0, twice=0)

    def test_a_file_moved_in_half_way_and_one_left_in_the_middle_are_each_published_once(self):
        half = self.spool(FORCE) / ".half"  # being written: names with a dot are not ours yet
        whole = incidents(CHILD * PER_FILE, "H")
        half.write_text(whole[:len(whole) // 2])
        working = self.spool(FORCE) / "working"
        working.mkdir()
        (working / "left.csv").write_text(incidents(CHILD * PER_FILE, "L"))  # taken by an adapter that was then killed
        daemon = self.feed(FORCE)
        self.all_are_confirmed(FORCE, PER_FILE)
        half.write_text(whole)
        half.rename(self.spool(FORCE) / "half.csv")
        self.all_are_confirmed(FORCE, 2 * PER_FILE)
        # The box of an earlier run, and a file it has seen: nothing is published a second time.
        daemon.terminate()
        daemon.wait(20)
        self.hand_in("H")
        self.feed(FORCE)
        until(lambda: "published before" in self.said(FORCE), 20, "it says that it knows the content")
        self.assertEqual(self.counts(FORCE), (0, 2 * PER_FILE, 0))


main()
