#!/usr/bin/python3
"""The power fails at a random moment: what was not synced is gone, or any sectors of it are, and names not synced are as they were. Started again,
the journey from flags to recorded notices ends as it should, each thing once. FLAGPOST_POWER_CUTS says how often for each program and kind (4 in
tools/test, 150 in the shard unsynced)."""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from disk import ALL, TORN, Disk, put_before  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import BIN, Failed, agreement_of, main  # noqa: E402
from journey import Journeys  # noqa: E402
from partnership import Partnership  # noqa: E402

CUTS = int(os.environ.get("FLAGPOST_POWER_CUTS", "4"))
SEED = int(os.environ.get("FLAGPOST_SEED", "7"))
BENCH = ["bench/1", "bench/2"]
PROGRAMS = ("flagpost-broker", "flagpost-police", "flagpost-social-care")


class Unsynced(unittest.TestCase):
    def setUp(self):
        self.journeys = Journeys(self)
        self.agreement = self.journeys.folder / "bench.toml"
        self.agreement.write_text(agreement_of(BENCH))

    def operations(self, program):
        with self.journeys.one(program) as (journey, disk):
            disk.set(lose=ALL)
            journey.play()
            journey.check()  # also after the end: what stops in order leaves nothing unsynced
            return disk.get("operations")

    def points(self):
        when = random.Random(SEED)
        last = {program: self.operations(program) for program in PROGRAMS}
        return [(program, lose, when.randint(1, last[program]), when.getrandbits(63)) for program in PROGRAMS for lose in (ALL, TORN) for _ in range(CUTS)]

    def cut(self, point, wal_sync_lies=0):
        program, lose, number, seed = point
        with self.journeys.one(program) as (journey, disk):
            disk.set(lose=lose, crash_at=number, crash_after=seed % 2, seed=seed, wal_sync_lies=wal_sync_lies)
            journey.play()
            journey.check()
            return disk.get("crashed") == 1

    def test_a_power_cut_takes_nothing_that_was_confirmed(self):
        points = self.points()
        covered, failures = self.journeys.play_all(self.cut, points)
        for test, lose in (("T3", ALL), ("T4", TORN)):
            of_kind = [reached for point, reached in zip(points, covered) if point[1] == lose]
            figure(test, power_cuts=sum(of_kind), failures=sum(point[1] == lose for point, _ in failures))
        self.assertEqual(failures, [])
        self.assertGreaterEqual(sum(covered), 0.8 * len(points))

    def under_load(self, number, lose, seed, wal_sync_lies=0):
        """What was confirmed and is lost, when the power fails while so much is waiting that batches are written ahead of the disk."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.journeys.folder))
        with Partnership(folder, BENCH, self.agreement, self.journeys.folder / "pki-bench") as partnership:
            disk = Disk(folder / "disk", folder)
            put_before(partnership, {"flagpost-broker": disk})
            partnership.start_broker()
            at = disk.get("operations")
            disk.set(lose=lose, crash_at=at + number, crash_after=seed % 2, seed=seed, wal_sync_lies=wal_sync_lies, sync_ms=3)
            bench = [BIN / "flagpost-bench", "--broker", f"localhost:{partnership.port}", "--certs", partnership.pki, "--log", folder / "confirms"]
            load = subprocess.run([*map(str, bench), "--mode", "pub", "--conns", "4", "--window", "128", "--seconds", "60"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120)
            self.assertEqual(load.returncode, 1, "the broker outlived its power cut")
            partnership.broker.wait(30)
            partnership.broker.stdout.close()
            put_before(partnership, {})
            partnership.start_broker()
            bench[2] = f"localhost:{partnership.port}"
            drained = subprocess.run([*map(str, bench), "--mode", "drain"], stdout=subprocess.PIPE, timeout=120)
            partnership.stop_broker()
            partnership.run("flagpost-broker", "broker", "check")
        return json.loads(drained.stdout)

    def test_a_power_cut_under_load_takes_nothing_that_was_confirmed(self):
        when = random.Random(SEED)
        confirmed, lost = 0, 0
        for lose in (ALL, TORN):
            for _ in range(CUTS):
                drained = self.under_load(when.randint(200, 4000), lose, when.getrandbits(63))
                confirmed += drained["confirmed"]
                lost += drained["confirmed_lost"]
        try:
            control = self.under_load(3000, ALL, 0, wal_sync_lies=1)["confirmed_lost"]
        except Failed:  # the file itself was damaged, since moving the WAL into it relied on the WAL
            control = 1
        figure("T3", load_power_cuts=2 * CUTS, load_confirmed=confirmed, load_confirmed_lost=lost, load_control_lost=control)
        self.assertEqual(lost, 0)
        self.assertGreater(confirmed, 500 * CUTS, "most cuts must hit a broker at work, or this proves little")
        self.assertGreater(control, 0)

    def test_a_disk_that_lies_about_the_wal_is_found_out(self):
        """As synchronous=NORMAL would leave it: nobody waits for the WAL."""
        last = self.operations("flagpost-broker")
        lost = 0
        for number in (last // 2, last * 2 // 3, last * 4 // 5):
            try:
                self.cut(("flagpost-broker", ALL, number, 0), wal_sync_lies=1)
            except Failed:
                lost += 1
        figure("T3", control_lost=lost, control_power_cuts=3)
        self.assertGreater(lost, 0)


if __name__ == "__main__":
    main()
