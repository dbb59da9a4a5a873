#!/usr/bin/python3
"""One bit flipped anywhere in what a broker keeps on disk: the check or the start names it, or nothing that is kept reads otherwise. FLAGPOST_BITS
says how many (60 in tools/test, 1,000 in the shard bits)."""

import os
import pathlib
import random
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from figures import figure  # noqa: E402
from flagpost import Failed, main  # noqa: E402
from journey import Journeys, rows_of  # noqa: E402

BITS = int(os.environ.get("FLAGPOST_BITS", "60"))
SEED = int(os.environ.get("FLAGPOST_SEED", "7"))
FILES = ("flagpost.db", "flagpost.db-wal", "signed-head")
# `live` and what a start adds itself follow from the entries; the check holds them against each other.
KEPT = ("SELECT idx, hash, leaf, keys, label, wrap, body FROM entry WHERE idx < {size} ORDER BY idx", "SELECT * FROM receipt ORDER BY message",
        "SELECT * FROM label ORDER BY id", "SELECT * FROM agency ORDER BY id", "SELECT mac, idx FROM subject WHERE idx < {size} ORDER BY mac, idx")


class Bits(unittest.TestCase):
    def setUp(self):
        self.journeys = Journeys(self)

    def kept(self, data):
        return [rows_of(data / "flagpost.db", query.format(size=self.size)) for query in KEPT]

    def judge(self, p, data):
        """What found the damage, or "harmless" or "served wrong"."""
        try:
            p.run("flagpost-broker", "broker", "check")
        except Failed:
            return "check"
        try:
            p.start_broker()
        except Failed:
            p.broker.wait()
            p.broker.stdout.close()
            return "start"
        p.stop_broker()
        return "harmless" if self.kept(data) == self.before else "served wrong"

    def flip(self, data, file, bit):
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(self.good, data)
        content = bytearray((data / file).read_bytes())
        content[bit // 8] ^= 1 << bit % 8
        (data / file).write_bytes(content)

    def test_a_flipped_bit_is_found_or_does_no_harm(self):
        with self.journeys.one("none") as (journey, _):
            journey.play()
            journey.start_broker()  # moves the WAL into the file, or flips in the file would hit what is out of use
            journey.stop_broker()
            p, data, self.good = journey.p, journey.p.folder / "broker-data", self.journeys.folder / "good"
            (data / "flagpost.db-reserve").unlink()  # empty room: copied for nothing
            shutil.copytree(data, self.good)
            self.size = rows_of(data / "flagpost.db", "SELECT count(*) FROM entry")[0][0]
            self.before = self.kept(data)
            where, verdicts, wrong = random.Random(SEED), dict.fromkeys(("check", "start", "harmless", "served wrong"), 0), []
            for n in range(BITS):
                file = FILES[n % len(FILES)]
                bit = where.randrange((self.good / file).stat().st_size * 8)
                self.flip(data, file, bit)
                verdict = self.judge(p, data)
                verdicts[verdict] += 1
                if verdict == "served wrong":
                    wrong.append((file, bit))
            figure("T5", bits=BITS, found_by_check=verdicts["check"], found_by_start=verdicts["start"], harmless=verdicts["harmless"], served_wrong=len(wrong))
            self.assertEqual(wrong, [])
            self.assertGreater(verdicts["check"] + verdicts["start"], BITS // 3, "most flips must be met, or this proves little")


if __name__ == "__main__":
    main()
