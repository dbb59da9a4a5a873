#!/usr/bin/python3
"""Every fsync of the broker takes a second, and one takes ten: what was confirmed is there, no session ends, memory stays bounded."""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from disk import Disk, put_before  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import BIN, Scenario, main, until  # noqa: E402

SYNC_MS, STALL_MS, SECONDS = 1_000, 10_000, 25
RSS_MAX_MIB = 512


class SlowDisk(Scenario):
    agencies = ["bench/1", "bench/2"]

    def bench(self, mode, *arguments):
        command = [BIN / "flagpost-bench", "--mode", mode, "--broker", f"localhost:{self.partnership.port}", "--certs", self.pki, *arguments]
        return subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE)

    def said(self, process):
        answer = process.communicate(timeout=120)[0]
        self.assertEqual(process.returncode, 0, "a session that ends before its time is a failure of the bench")
        return json.loads(answer)

    def peak_mib(self):
        status = pathlib.Path(f"/proc/{self.partnership.broker.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) // 1024

    def test_a_slow_disk_makes_confirms_late_and_nothing_else(self):
        disk = Disk(self.folder / "disk", self.folder)
        put_before(self.partnership, {"flagpost-broker": disk})
        self.start_broker()
        disk.set(sync_ms=SYNC_MS)
        log = self.folder / "confirms.log"
        load = self.bench("pub", "--conns", 4, "--window", 256, "--seconds", SECONDS, "--log", log)
        started = disk.get("synced")
        until(lambda: disk.get("synced") >= started + 4, 60, "the broker syncs")
        disk.set(sync_ms=STALL_MS)
        at = disk.get("synced")
        until(lambda: disk.get("synced") > at + 1, 60, "one sync stalls")  # counted when it has slept: the second was asked for under the stall
        disk.set(sync_ms=SYNC_MS)
        said = self.said(load)
        peak = self.peak_mib()
        disk.set(sync_ms=0)
        drained = self.said(self.bench("drain", "--log", log))
        figure("T7", confirmed=said["confirmed"], confirmed_lost=drained["confirmed_lost"], p50_ack_ms=round(said["ack_p50_us"] / 1000),
               p99_ack_ms=round(said["ack_p99_us"] / 1000), rss_mib=peak)
        self.assertEqual(drained["confirmed_lost"], 0)
        self.assertEqual(drained["received"], drained["distinct"])
        self.assertGreater(said["ack_p99_us"], STALL_MS * 1000 // 2, "the stall was felt, or this proves little")
        self.assertLess(peak, RSS_MAX_MIB)


if __name__ == "__main__":
    main()
