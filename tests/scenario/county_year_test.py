#!/usr/bin/python3
"""A county's year, or FLAGPOST_DAYS of it, through the exchange in simulated time, judged by the truth file."""

import collections
import json
import os
import pathlib
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(os.environ.get("FLAGPOST_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SOURCE / "tools"))
sys.path.insert(0, str(SOURCE / "tests" / "support"))
import county  # noqa: E402
from figures import figure  # noqa: E402
from partnership import BIN  # noqa: E402

BUILD = pathlib.Path(os.environ.get("FLAGPOST_BUILD", SOURCE / "build")) / "scenario"
SEED = int(os.environ.get("FLAGPOST_SEED", "5"))
DAYS = int(os.environ.get("FLAGPOST_DAYS", "30"))


class CountyYear(unittest.TestCase):
    def test_everybody_who_should_be_told_is_told_in_time_and_nobody_else(self):
        files = county.make(BUILD / f"county-{DAYS}-days", SEED, scale="nottinghamshire-year", month=True, days=DAYS)
        truth = json.loads((files / "truth-month.json").read_text())
        played = subprocess.run([BIN / "play_county", files, "month"], check=True, capture_output=True, text=True, timeout=6000)
        result = json.loads(played.stdout)
        self.assertEqual((result["incidents"], result["refused"]), (truth["incidents"], 0), played.stderr[-2000:])

        judged = county.compare(truth, result["social"], result["school"], result["reviews"])
        causes = collections.Counter((miss["kind"], miss["corruption"] or "nothing spoilt") for miss in judged["misses"])
        registrations = self.registrations(files)
        nobodys = [told for told in result["school"] if (told["urn"], told["upn"]) not in registrations]
        figure(f"county_{DAYS}_days", incidents=result["incidents"], seconds=round(result["seconds"], 1), owed=judged["owed"],
               spoilt=judged["spoilt"], missed=len(judged["misses"]), missed_by_cause={" ".join(cause): n for cause, n in sorted(causes.items())},
               wrong=len(judged["wrong"]), held_for_a_person=judged["held_for_review"], noise=judged["noise"],
               school_notices=len(result["school"]), to_a_school_without_the_pupil=len(nobodys), opened_in_time=result["opened_in_time"],
               escalated_before_the_deadline=result["escalated"], neither=result["neither"], reports=result["reports"])
        for miss in judged["misses"]:
            print("  missed:", {key: miss[key] for key in ("kind", "incident", "intact", "corruption")})
        for wrong in judged["wrong"][:5]:
            print("  wrong:", wrong["incident_reference"])
        self.assertEqual(len(judged["wrong"]), 0)
        self.assertTrue(county.within_bounds(judged))
        self.assertEqual(len(nobodys), 0)
        self.assertEqual(result["neither"], 0, "a school's deadline passed unopened, and nobody was told before it")
        self.assertGreater(result["escalated"], 10)  # else the bound above says nothing

    @staticmethod
    def registrations(files):
        """(URN, UPN) of each row of each roll, read from the files themselves."""
        found = set()
        for file in files.glob("roll*.csv"):
            header, *rows = file.read_text(encoding="utf-8").splitlines()
            assert header.startswith("URN,UPN,")
            found |= {(int(urn), upn) for urn, upn in (row.split(",")[:2] for row in rows)}
        return found


if __name__ == "__main__":
    unittest.main(verbosity=2)
