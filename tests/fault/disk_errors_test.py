#!/usr/bin/python3
"""The disk says no: an fsync fails once and the kernel forgets what it should have written, there is no room, the quota is used up, or all of it can
only be read. Each program stops and says why; on a good disk the journey then ends as it should, each thing once. FLAGPOST_POINTS says how many
moments of each fault and program (2)."""

import errno
import os
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from disk import ALL, ALWAYS, NAMES, SIZES, SYNCS, WRITES  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import Failed, main  # noqa: E402
from journey import Journeys  # noqa: E402

POINTS = int(os.environ.get("FLAGPOST_POINTS", "2"))
SEED = int(os.environ.get("FLAGPOST_SEED", "7"))
PROGRAMS = ("flagpost-broker", "flagpost-police", "flagpost-social-care")
GROWING = WRITES | SIZES | NAMES
FAULTS = {
    "fsync fails once": dict(fail_errno=errno.EIO, fail_kinds=SYNCS, fail_times=1, lose=ALL),
    "no room": dict(fail_errno=errno.ENOSPC, fail_kinds=GROWING, fail_times=ALWAYS),
    "no room once": dict(fail_errno=errno.ENOSPC, fail_kinds=GROWING, fail_times=1),
    "quota used up": dict(fail_errno=errno.EDQUOT, fail_kinds=GROWING, fail_times=ALWAYS),
    "read only": dict(fail_errno=errno.EROFS, fail_kinds=GROWING | SYNCS, fail_times=ALWAYS),
}


class DiskErrors(unittest.TestCase):
    def setUp(self):
        self.journeys = Journeys(self)

    def points(self):
        when, points = random.Random(SEED), []
        for program in PROGRAMS:
            with self.journeys.one(program) as (journey, disk):
                journey.play()
                last = disk.get("operations")
            points += [(program, fault, when.randint(1, last)) for fault in FAULTS for _ in range(POINTS)]
        return points

    def fail(self, point):
        """How often a program stopped over it. None may crash: it is to say what is wrong."""
        program, fault, number = point
        with self.journeys.one(program) as (journey, disk):
            disk.set(fail_from=number, **FAULTS[fault])
            journey.stops_over = lambda: disk.set(fail_times=0)
            journey.play()
            journey.check()
            return len(journey.stopped)

    def test_a_disk_that_says_no_costs_nothing_that_was_confirmed(self):
        points = self.points()
        stops, failures = self.journeys.play_all(self.fail, points)
        figure("T6", faults=len(points), stopped_and_said_why=sum(stops), failures=len(failures))
        self.assertEqual(failures, [])
        self.assertGreater(sum(stops), len(points) // 3, "most faults must be met, or this proves little")

    def test_a_program_that_goes_on_over_a_failed_sync_is_found_out(self):
        """Were a failed fsync taken for a good one, what it should have written would be missing after the next power cut."""
        with self.journeys.one("flagpost-broker") as (journey, disk):
            journey.play()
            last = disk.get("operations")
        with self.journeys.one("flagpost-broker") as (journey, disk):
            disk.set(lose=ALL, wal_sync_lies=1, crash_at=last * 2 // 3)
            with self.assertRaises(Failed):
                journey.play()
                journey.check()


if __name__ == "__main__":
    main()
