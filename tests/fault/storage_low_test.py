#!/usr/bin/python3
"""A disk nearly full: publishes are refused `storage_low` with a time to come again, what is owed can still be acknowledged, and
publishes are taken as soon as there is room."""

import os
import pathlib
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


class StorageLow(Refusing):
    def test_a_disk_nearly_full_refuses_publishes_and_takes_acknowledgements(self):
        data = self.folder / "broker-data"
        data.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "flagpost-test", data], check=False, stderr=subprocess.DEVNULL).returncode != 0:
            raise unittest.SkipTest("a small file system cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "--lazy", data], check=True)
        self.addCleanup(self.partnership.close)
        self.start_broker()
        owed, numbers = self.pending_for("bench/2", 20)
        filler = data / "filler"
        free = os.statvfs(data).f_bavail * os.statvfs(data).f_frsize
        with open(filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, free - 30 * 1024 * 1024)
        publisher = Client(self, "bench/1")
        self.addCleanup(publisher.close)

        def refused():
            publisher.publish("bench/1", b"now")
            return list(self.answers(publisher, 1, 30)[1].values())
        said = until(refused, 10, "it looks once a second")
        self.assertEqual(said[0][0], STORAGE_LOW)
        self.assertGreater(said[0][1], 0, "it says when to come again")
        owed.acknowledge("bench/2", numbers)
        owed.close()
        self.nothing_comes_again("bench/2")
        filler.unlink()
        since = time.monotonic()
        until(lambda: not refused(), 10, "publishes are taken again")
        figure("storage_low", refused_reason=said[0][0], retry_after_ms=said[0][1], acknowledgements_taken=20,
               taken_again_after_s=round(time.monotonic() - since, 1))


main()
