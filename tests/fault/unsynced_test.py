#!/usr/bin/python3
"""The power fails at a random moment: what was not synced is gone, or any sectors of it are, and names not synced are as they were. Started again,
the journey from flags to recorded notices ends as it should, each thing once. FLAGPOST_POWER_CUTS says how often for each program and kind (4 in
tools/test, 150 in the shard unsynced)."""

import os
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from disk import ALL, TORN  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import Failed, main  # noqa: E402
from journey import Journeys  # noqa: E402

CUTS = int(os.environ.get("FLAGPOST_POWER_CUTS", "4"))
SEED = int(os.environ.get("FLAGPOST_SEED", "7"))
PROGRAMS = ("flagpost-broker", "flagpost-police", "flagpost-social-care")


class Unsynced(unittest.TestCase):
    def setUp(self):
        self.journeys = Journeys(self)

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
