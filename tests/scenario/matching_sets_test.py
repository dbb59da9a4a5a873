#!/usr/bin/python3
"""The matcher is as good as it was on labelled sets, where they lie beside the project; else nothing is run, and it says so."""

import csv
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("FLAGPOST_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SOURCE / "tests" / "support"))
from figures import figure  # noqa: E402

BIN = pathlib.Path(os.environ.get("FLAGPOST_BIN", SOURCE / "build" / "bin"))
SETS = SOURCE.parent / "shared" / "eval"

# A little below what was reached (docs/matching.md): share of automatic matches that are right, share of the flagged
# that are matched automatically, and that are matched or shown to a person.
FLOORS = {
    "dev_person_febrl3": (1.0, 0.96, 0.998),
    "dev_person_census_cis": (1.0, 0.95, 0.998),
    "dev_person_historical": (1.0, 0.495, 0.89),
    "dev_person_foreign_names": (1.0, 0.18, 0.91),
    "dev_synthetic_hard": (1.0, 0.93, 0.999),
    "dev_incident_households": (1.0, 0.95, 0.98),
    "dev_address_ons_lr": (1.0, 0.88, 0.98),
    "dev_address_edge_cases": (1.0, 0.42, 0.94),
    "dev_address_census_cis": (1.0, 0.50, 0.93),
}


def rows(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def predict(folder, register=None):
    with tempfile.TemporaryDirectory() as kept:
        out = pathlib.Path(kept) / "predictions.csv"
        subprocess.run([BIN / "flagpost-match", "--register", register or folder / "register.csv", "--queries", folder / "queries.csv",
                        "--out", out], check=True, timeout=300)
        return out.read_bytes()


def rates(folder, predictions):
    truth = {row["query_id"]: set(filter(None, row["true_flag_id"].split(";"))) for row in rows(folder / "queries.csv")}
    right = wrong = 0
    matched, seen = set(), set()
    for row in csv.DictReader(predictions.decode().splitlines()):
        hit = row["flag_id"] in truth[row["query_id"]]
        if row["decision"] == "auto":
            right, wrong = right + hit, wrong + (not hit)
            matched |= {row["query_id"]} if hit else set()
        seen |= {row["query_id"]} if hit else set()
    flagged = sum(1 for flags in truth.values() if flags)
    return right / (right + wrong) if right + wrong else 1.0, len(matched) / flagged, len(seen) / flagged


@unittest.skipUnless(SETS.is_dir(), "not run: no labelled sets lie beside the project")
class MatchingSets(unittest.TestCase):
    def test_the_matcher_is_no_worse_than_it_was(self):
        for name, floors in FLOORS.items():
            with self.subTest(set=name):
                reached = rates(SETS / name, predict(SETS / name))
                figure(f"matching {name}", precision=round(reached[0], 4), matched=round(reached[1], 4),
                       matched_or_shown=round(reached[2], 4))
                for what, got, floor in zip(("precision", "matched", "matched or shown"), reached, floors):
                    self.assertGreaterEqual(got, floor, what)

    def test_the_same_register_in_another_order_gives_the_same_answers(self):
        folder = SETS / "dev_synthetic_hard"
        first = predict(folder)
        self.assertEqual(predict(folder), first)
        known = rows(folder / "register.csv")
        random.Random(5).shuffle(known)
        with tempfile.TemporaryDirectory() as kept:
            shuffled = pathlib.Path(kept) / "register.csv"
            with open(shuffled, "w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, known[0].keys())
                writer.writeheader()
                writer.writerows(known)
            self.assertEqual(predict(folder, shuffled), first)


if __name__ == "__main__":
    unittest.main(verbosity=2)
