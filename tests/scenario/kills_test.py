#!/usr/bin/python3
"""kill -9 of the broker at random moments while a force feeds a month: nothing confirmed is missing, nothing is in an
inbox twice, the log verifies. FLAGPOST_KILLS says how often in the month of each of FLAGPOST_SEEDS (50 in one in tools/test, in 40 in
the shard kills)."""

import collections
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time
import unittest

SOURCE = pathlib.Path(os.environ.get("FLAGPOST_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
sys.path[:0] = [str(SOURCE / "tools"), str(SOURCE / "tests" / "support")]
import county  # noqa: E402
from figures import figure  # noqa: E402
from partnership import BIN  # noqa: E402

BUILD = pathlib.Path(os.environ.get("FLAGPOST_BUILD", SOURCE / "build")) / "scenario"
KILLS = int(os.environ.get("FLAGPOST_KILLS", "50"))
SEEDS = [int(seed) for seed in os.environ.get("FLAGPOST_SEEDS", "7").split()]


class Kills(unittest.TestCase):
    def test_nothing_confirmed_is_lost_and_nothing_arrives_twice(self):
        during, incidents, restarts = 0, 0, []
        for seed in SEEDS:
            with self.subTest(seed=seed):
                files = county.make(BUILD / "county-kills", seed, month=True)
                truth = json.loads((files / "truth-month.json").read_text())
                during += self.month_with_kills(files, truth, random.Random(seed), restarts)
                incidents += truth["incidents"]
        restarts.sort()
        figure("T1", kills=len(restarts), while_feeding=during, incidents=incidents, acked_lost=0, twice=0,
               restart_p50_ms=round(restarts[len(restarts) // 2] * 1000), restart_p99_ms=round(restarts[int(len(restarts) * 0.99)] * 1000))
        self.assertGreaterEqual(during, len(restarts) // 2, "most kills must hit a broker at work, or this proves little")

    def month_with_kills(self, files, truth, when, restarts):
        """How many kills there were while the force was feeding."""
        shutil.rmtree(BUILD / "kills", ignore_errors=True)
        world = county.County(files, BUILD / "kills", pki=BUILD / "pki")
        p = world.partnership
        with p:
            world.start()
            world.load()
            for file in sorted((files / "month").iterdir()):
                shutil.copy(file, world.spool / file.name)
            with open(p.folder / "feed.log", "wb") as log:
                feed = subprocess.Popen([BIN / "flagpost-police", "feed", "--spool", world.spool, "--once", "--config", p.folder / "police-31.toml"],
                                        stdout=log, stderr=log)
            during = 0
            for _ in range(KILLS):
                time.sleep(when.uniform(0.0, 1.2))  # the fault, not a wait: a random moment
                during += feed.poll() is None
                p.kill_broker()
                at = time.monotonic()
                p.start_broker()
                restarts.append(time.monotonic() - at)
            self.assertEqual(feed.wait(900), 0, p.tail("feed.log"))
            world.wait_until_stored()
            self.nothing_is_missing_or_twice(world, truth)
            self.each_incident_is_in_the_log_once(p, truth)
        return during

    def nothing_is_missing_or_twice(self, world, truth):
        status = world.partnership.json("flagpost-police", county.POLICE, "status")
        self.assertEqual((status["confirmed"], status["waiting"], status["refused"]), (truth["incidents"], 0, 0))
        social, school, reviews = world.told()
        twice = [k for k, n in collections.Counter(i["reference"] for i in social + school + reviews).items() if n > 1]
        self.assertEqual(twice, [])
        for items, keys in ((social, ("incident_reference", "la_child_id")), (school, ("incident_reference", "urn", "upn"))):
            twice = [k for k, n in collections.Counter(tuple(i[key] for key in keys) for i in items).items() if n > 1]
            self.assertEqual(twice, [], "one notice per child, recipient and incident version")
        result = county.compare(truth, social, school, reviews)
        self.assertTrue(county.within_bounds(result), (result["misses"][:5], result["wrong"][:5]))

    def each_incident_is_in_the_log_once(self, p, truth):
        export = p.folder / "export"
        p.run("flagpost-audit", county.AUDITOR, "export", "--public", export)
        answer = json.loads(p.call(BIN / "flagpost-audit", "verify", export, "--vkey", p.pki / "broker" / "log.vkey", "--json"))
        self.assertTrue(answer["verified"])
        published = collections.Counter()
        for line in p.call(BIN / "flagpost-audit", "replay", export, "--json").splitlines():
            leaf = json.loads(line)
            if leaf["kind"] == "published" and leaf.get("topic") == "incidents/31":
                published[leaf["message"]] += 1
        self.assertEqual(len(published), truth["incidents"])
        self.assertEqual(set(published.values()), {1}, "each incident is in the log once")


if __name__ == "__main__":
    unittest.main(verbosity=2)
