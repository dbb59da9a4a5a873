#!/usr/bin/python3
"""A process that dies at any write, sync, truncation, creation, renaming or removal of a file, before it or after it, and is started again: the
journey from flags to recorded notices ends as it should, each thing once. FLAGPOST_POINTS says how many points of each program (a spread of 10 in
tools/test; `all`, each before and after, in the shard crash-points)."""

import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from figures import figure  # noqa: E402
from flagpost import Failed, main  # noqa: E402
from journey import Journeys  # noqa: E402

POINTS = os.environ.get("FLAGPOST_POINTS", "10")
PROGRAMS = ("flagpost-broker", "flagpost-police", "flagpost-social-care")


def forget_the_wal(journey):
    """A broker that keeps nothing but what it has moved into its file."""
    (journey.p.folder / "broker-data" / "flagpost.db-wal").write_bytes(b"")


class CrashPoints(unittest.TestCase):
    def setUp(self):
        self.journeys = Journeys(self)

    def operations(self, program):
        """How many a journey without faults takes."""
        with self.journeys.one(program) as (journey, disk):
            journey.play()
            return disk.get("operations")

    def points(self, program):
        last = self.operations(program)
        if POINTS == "all":  # and a little more: no two runs are quite alike
            return [(program, number, after) for number in range(1, last + last // 10) for after in (0, 1)]
        step = last / int(POINTS)
        return [(program, 1 + int(n * step), n % 2) for n in range(int(POINTS))]

    def die(self, point):
        """Whether this point was reached in time."""
        program, number, after = point
        with self.journeys.one(program) as (journey, disk):
            disk.set(crash_at=number, crash_after=after)
            journey.play()
            journey.check()
            return disk.get("crashed") == 1

    def test_a_death_at_any_change_of_the_disk_loses_nothing_and_does_nothing_twice(self):
        points = [point for program in PROGRAMS for point in self.points(program)]
        covered, failures = self.journeys.play_all(self.die, points)
        figure("T2", points=sum(covered), failures=len(failures), **{program.removeprefix("flagpost-").replace("-", "_"): sum(
            reached for (name, _, _), reached in zip(points, covered) if name == program) for program in PROGRAMS})
        self.assertEqual(failures, [])
        self.assertGreaterEqual(sum(covered), 0.8 * len(points))

    def forgetting(self, point):
        """Whether the journey of a broker that dies here and forgets its WAL is judged to have failed."""
        with self.journeys.one("flagpost-broker") as (journey, disk):
            journey.on_death = lambda who: forget_the_wal(journey)
            disk.set(crash_at=point)
            try:
                journey.play()
                journey.check()
            except Failed:
                return True
            return False

    def test_a_broker_that_forgets_its_wal_is_found_out(self):
        """Not by each death: at some moments all of the WAL has been moved already."""
        last = self.operations("flagpost-broker")
        self.assertTrue(any(self.forgetting(last * part // 20) for part in range(4, 20)))


if __name__ == "__main__":
    main()
