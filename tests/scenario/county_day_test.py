#!/usr/bin/python3
"""A newcomer types one command and watches a county's day: tools/demo --once holds every expectation."""

import json
import os
import pathlib
import subprocess
import unittest

SOURCE = pathlib.Path(os.environ.get("FLAGPOST_SOURCE", pathlib.Path(__file__).resolve().parents[2]))


class CountyDay(unittest.TestCase):
    def test_the_demo_holds_every_expectation_and_says_so(self):
        done = subprocess.run(["/usr/bin/python3", SOURCE / "tools" / "play_day.py", "--once", "--seed", "1"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=600, text=True)
        print(done.stdout)
        self.assertEqual(done.returncode, 0)
        self.assertIn("Every expectation held", done.stdout)
        summary = json.loads((SOURCE / "build" / "demo" / "summary.json").read_text())
        for key in ("flags_loaded", "incidents_published", "social_care_notices", "school_notices", "acknowledged", "misses", "wrong_disclosures",
                    "open_obligations", "log_size", "audit_verified", "seconds"):
            self.assertIn(key, summary)
        self.assertEqual(summary["wrong_disclosures"], 0)
        self.assertEqual(summary["open_obligations"], 0)
        self.assertGreater(summary["markers"], 1000)
        self.assertEqual((summary["markers_missing"], summary["markers_wrong"]), (0, 0))
        self.assertTrue(summary["audit_verified"])
        self.assertTrue((SOURCE / "build" / "demo" / "export" / "checkpoint").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
