#!/usr/bin/python3
"""A disk that somebody else fills to its last byte: publishes are refused, what is owed can still be acknowledged out of the room kept back, heads are
late and the broker stays; with room again it goes on by itself, nothing confirmed is lost, and the room is kept back anew."""

import os
import pathlib
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from client import Client  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import main, until  # noqa: E402
from refusing import Refusing  # noqa: E402

STORAGE_LOW = 11  # schemas/README.md
OWED = 1000  # of the 1,024 that one subscription may have open


class DiskFull(Refusing):
    def disk_of(self, size):
        data = self.folder / "broker-data"
        data.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "flagpost-test", data], check=False, stderr=subprocess.DEVNULL).returncode != 0:
            raise unittest.SkipTest("a small file system cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "--lazy", data], check=True)
        self.addCleanup(self.partnership.close)
        return data

    def fill(self, data):
        filler = data / "filler"
        with open(filler, "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue
        self.assertEqual(os.statvfs(data).f_bavail, 0)
        return filler

    def keep_reading(self, data):
        """As a copy that takes its time would: the WAL is not begun anew meanwhile, so that each commit needs room of its own."""
        reader = sqlite3.connect(f"file:{data / 'flagpost.db'}?mode=ro", uri=True, isolation_level=None)
        self.addCleanup(reader.close)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return reader

    def refused(self, publisher):
        publisher.publish("bench/1", b"now")
        return list(self.answers(publisher, 1, 30)[1].values())

    def head_size(self):
        """Of the newest head that was signed."""
        kept = self.folder / "broker-data" / "signed-head"
        return int(kept.read_text().splitlines()[1]) if kept.exists() else 0

    def test_a_full_disk_ends_nothing_but_publishing(self):
        data = self.disk_of("400m")
        self.start_broker()
        broker = self.partnership.broker
        reader = self.keep_reading(data)
        owed, numbers = self.pending_for("bench/2", OWED)
        publisher = Client(self, "bench/1")
        self.addCleanup(publisher.close)
        self.assertEqual(self.refused(publisher), [])
        filler, before = self.fill(data), self.head_size()
        until(lambda: self.refused(publisher) and self.refused(publisher)[0][0] == STORAGE_LOW, 10, "publishes are refused")

        for number in numbers:  # one commit each: the room kept back has to be used
            owed.acknowledge("bench/2", [number])
            owed.send(owed.stock.query(number, owed.stock.QueryKind.QueryKind.checkpoint))
            owed.wait_for("Answer")
        owed.close()
        reserve_used = not (data / "flagpost.db-reserve").exists()
        self.nothing_comes_again("bench/2")
        self.assertIsNone(broker.poll(), "the broker is still there")
        wal_frames = (data / "flagpost.db-wal").stat().st_size // 16384
        reader.close()
        filler.unlink()
        since = time.monotonic()
        until(lambda: not self.refused(publisher), 20, "publishes are taken again")
        taken_after_s = round(time.monotonic() - since, 1)
        until(lambda: (data / "flagpost.db-reserve").exists(), 20, "room is kept back anew")
        until(lambda: self.head_size() > before, 20, "heads are signed again")
        self.assertGreater(len(self.leaves()), before)  # by an export that verifies
        self.partnership.run("flagpost-broker", "broker", "check")
        figure("T8", refused_reason=STORAGE_LOW, acknowledgements_taken=OWED, reserve_used=reserve_used, wal_frames=wal_frames, taken_again_after_s=taken_after_s)
        self.assertTrue(reserve_used, "the disk was full for the store too")


main()
