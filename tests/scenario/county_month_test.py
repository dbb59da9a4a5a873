#!/usr/bin/python3
"""A county's month through real processes, judged by the truth file. FLAGPOST_SEEDS names the counties."""

import json
import os
import pathlib
import shutil
import sys
import time
import unittest

SOURCE = pathlib.Path(os.environ.get("FLAGPOST_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SOURCE / "tools"))
sys.path.insert(0, str(SOURCE / "tests" / "support"))
import county  # noqa: E402
from figures import figure  # noqa: E402
from partnership import BIN  # noqa: E402

BUILD = pathlib.Path(os.environ.get("FLAGPOST_BUILD", SOURCE / "build")) / "scenario"
SEEDS = [int(seed) for seed in os.environ.get("FLAGPOST_SEEDS", "3").split()]


class CountyMonth(unittest.TestCase):
    def test_everybody_who_should_be_told_is_told_and_nobody_else(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                files = county.make(BUILD / "county-month", seed, month=True)
                shutil.rmtree(BUILD / "month", ignore_errors=True)
                world = county.County(files, BUILD / "month", pki=BUILD / "pki")
                with world.partnership:
                    world.start()
                    world.load()
                    at = time.monotonic()
                    world.feed("month")
                    took = time.monotonic() - at
                    world.wait_until_stored()
                    truth = json.loads((files / "truth-month.json").read_text())
                    result = county.compare(truth, *world.told())
                    print(f"figure: seed {seed}: {truth['incidents']} incidents in {took:.1f} s; owed {result['owed']} ({result['spoilt']} spoilt), "
                          f"missed {len(result['misses'])}, wrong {len(result['wrong'])}, held for a person {result['held_for_review']}, "
                          f"possible matches that were another child {len(result['possible_extra'])}")
                    for miss in result["misses"]:
                        print("  missed:", {k: miss[k] for k in ("kind", "incident", "intact", "corruption")})
                    self.assertEqual(len(result["wrong"]), 0, result["wrong"][:2])
                    self.assertTrue(county.within_bounds(result))
                    self.decide_again(world.partnership, seed)

    def decide_again(self, p, seed):
        """The auditor takes the month away and makes each decision anew from what was known then."""
        export = p.folder / "export"
        p.sealed_export(county.AUDITOR, export)
        answer = json.loads(p.call(BIN / "flagpost-audit", "decisions", export, "--key", p.folder / "seal.key", "--json"))
        figure("T40", **{f"month_{seed}": {key: answer[key] for key in ("same", "differs", "not_replayable", "other_engine", "late")}})
        self.assertEqual((answer["differs"], answer["not_replayable"], answer["other_engine"]), (0, 0, 0))
        self.assertGreater(answer["same"], 100)


if __name__ == "__main__":
    unittest.main(verbosity=2)
