#!/usr/bin/python3
"""A log of any size is verified, and its open obligations counted, in a memory that hardly grows with it."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from figures import figure  # noqa: E402
from flagpost import BIN  # noqa: E402

SIZES = [int(size) for size in os.environ.get("FLAGPOST_LEAVES", "100000").split()]
RATIO_MAX, RATIO_FROM = 5, 10**6  # times the bare SHA-256 of it, in the same run; a small log is over before the process is up
RSS_MAX_MIB = 64  # of a log of 10^7 as of one of 10^5: one tile at a time, and the 256th part of the tree


def measured(*command):
    """Runs it; its output, seconds, and the most memory it had, in MiB."""
    start = time.monotonic()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE)
    out = process.stdout.read()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, out.decode(), time.monotonic() - start, usage.ru_maxrss / 1024


class LargeLog(unittest.TestCase):
    def test_it_is_verified_whole_and_its_open_obligations_are_found(self):
        for size in SIZES:
            with self.subTest(size=size):
                self.check(size)

    def check(self, size):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="flagpost-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        export = folder / "export"
        code, out, _, _ = measured(BIN / "make_large_export", export, size)
        self.assertEqual(code, 0)
        wanted = int(out.split()[1])
        vkey = export / "vkey"  # for once: the maker is this test
        code, out, verify_s, verify_mib = measured(BIN / "flagpost-audit", "verify", export, "--vkey", vkey, "--json")
        self.assertEqual(code, 0, out)
        self.assertEqual(json.loads(out)["size"], size)
        _, out, _, _ = measured(BIN / "make_large_export", "--sha", export)
        sha_s = float(out)
        code, out, complete_s, complete_mib = measured(BIN / "flagpost-audit", "complete", export, "--json")
        answer = json.loads(out)
        self.assertEqual(code, 1)
        self.assertEqual(len(answer["open"]), wanted)
        self.assertEqual(answer["strays"], [])
        self.assertEqual(sum(answer["leaves"].values()), size)
        self.assertLess(max(verify_mib, complete_mib), RSS_MAX_MIB)
        if size >= RATIO_FROM:
            self.assertLessEqual(verify_s / sha_s, RATIO_MAX)
        figure("T39", **{f"leaves_{size}": dict(open_obligations=wanted, verify_leaves_per_s=round(size / verify_s), verify_mib=round(verify_mib),
                                                verify_over_bare_sha256=round(verify_s / sha_s, 2), complete_leaves_per_s=round(size / complete_s),
                                                complete_mib=round(complete_mib))})
        shutil.rmtree(folder)


if __name__ == "__main__":
    unittest.main(verbosity=2)
