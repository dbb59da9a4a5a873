#!/usr/bin/python3
"""A broker with many clients is killed and started again (T19): all of them come back by themselves, spread out and not at once, and nobody who was there
is turned away for good. FLAGPOST_STORM says how many (400 in tools/test, 5,000 in the shard network)."""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from feeding import Feeding  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import BIN, main  # noqa: E402

CLIENTS = int(os.environ.get("FLAGPOST_STORM", "400"))
LIMIT_S = 300


class ReconnectStorm(Feeding):
    agencies = ["bench/1", "bench/2"]

    def test_all_come_back_and_not_at_once(self):
        self.start_broker()
        storm = subprocess.Popen([BIN / "flagpost-bench", "--mode", "storm", "--broker", f"localhost:{self.partnership.port}", "--certs", self.pki,
                                  "--conns", str(CLIENTS), "--limit", str(LIMIT_S)], stdout=subprocess.PIPE, text=True)
        self.addCleanup(storm.kill)
        self.assertEqual(json.loads(storm.stdout.readline())["conns"], CLIENTS)
        self.kill_broker()
        self.start_broker()
        said = json.loads(storm.communicate(timeout=LIMIT_S + 60)[0])
        peak_mib = self.memory_mib()
        sessions = self.figures_of_the_broker()["gates_stuck"]
        figure("T19", clients=CLIENTS, back=said["back"], attempts=said["attempts"], busiest_100_ms=said["busiest_100_ms"], first_back_s=said["first_back_s"],
               in_100_99_back_s=said["99_in_100_s"], all_back_s=said["all_back_s"], broker_peak_mib=peak_mib)
        self.assertEqual(said["back"], CLIENTS, said["why"])
        self.assertEqual(sessions, 0)
        # Without a draw all would try in one moment.
        self.assertLess(said["busiest_100_ms"], CLIENTS / 2)


main()
