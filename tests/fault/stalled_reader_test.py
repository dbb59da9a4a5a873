#!/usr/bin/python3
"""Somebody reads the database and never ends: its WAL cannot be moved meanwhile. It stays below its limit, since publishes are refused from there on and
what is owed can still be acknowledged; when the reader ends, publishes are taken again."""

import pathlib
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from client import Client  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import main, until  # noqa: E402
from refusing import Refusing  # noqa: E402

STORAGE_LOW = 11            # schemas/README.md
WAL_BYTES_MAX = 256 << 20   # broker/core/limits.h
ONE_COMMIT = 16 << 20       # what was let in before the limit was seen
PAYLOAD, WINDOW = bytes(100_000), 32


class StalledReader(Refusing):
    def reader(self):
        """Holds the store as it is now."""
        reader = sqlite3.connect(f"file:{self.folder / 'broker-data' / 'flagpost.db'}?mode=ro", uri=True, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM entry").fetchone()
        return reader

    def wal_bytes(self):
        return (self.folder / "broker-data" / "flagpost.db-wal").stat().st_size

    def reasons(self, publisher, count):
        for _ in range(count):
            publisher.publish("bench/1", PAYLOAD)
        return [reason for reason, _ in self.answers(publisher, count, 60)[1].values()]

    def test_a_reader_that_never_ends_fills_no_disk(self):
        self.start_broker()
        self.addCleanup(self.partnership.close)
        owed, numbers = self.pending_for("bench/2", 20)
        publisher = Client(self, "bench/1")
        self.addCleanup(publisher.close)
        reader = self.reader()
        taken = 0
        while not (reasons := self.reasons(publisher, WINDOW)):
            taken += WINDOW
            self.assertLess(taken * len(PAYLOAD), 2 * WAL_BYTES_MAX, "nothing stops it")
        self.assertEqual(set(reasons), {STORAGE_LOW})
        owed.acknowledge("bench/2", numbers)
        owed.close()
        self.nothing_comes_again("bench/2")
        peak = self.wal_bytes()
        self.assertIn("keeps", self.broker_log())

        reader.close()
        since = time.monotonic()
        until(lambda: not self.reasons(publisher, 1), 30, "publishes are taken again")
        taken_again_after_s = round(time.monotonic() - since, 1)
        until(lambda: not self.reasons(publisher, WINDOW) and self.wal_bytes() < WAL_BYTES_MAX / 2, 30, "the WAL is given back")
        figure("T10", wal_peak_mib=peak >> 20, wal_max_mib=WAL_BYTES_MAX >> 20, taken_again_after_s=taken_again_after_s)
        self.assertLess(peak, WAL_BYTES_MAX + ONE_COMMIT)


main()
