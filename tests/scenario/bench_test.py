#!/usr/bin/python3
"""What the bench says of a broker is what happened: nothing confirmed is lost over a kill, and each mode answers."""

import json
import os
import pathlib
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from flagpost import BIN, SOURCE, Scenario, main  # noqa: E402


class Bench(Scenario):
    agencies = ["bench/1", "bench/2"]

    def setUp(self):
        super().setUp()
        self.start_broker()

    def command(self, mode, *arguments):
        return [BIN / "flagpost-bench", "--mode", mode, "--broker", f"localhost:{self.partnership.port}", "--certs", self.partnership.pki,
                *[str(argument) for argument in arguments]]

    def ask(self, mode, *arguments, code=0):
        done = subprocess.run(self.command(mode, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return json.loads(done.stdout)

    def test_nothing_confirmed_is_lost_when_the_broker_is_killed_under_load(self):
        log = self.folder / "confirms.log"
        load = subprocess.Popen([str(part) for part in self.command("pub", "--conns", 3, "--window", 64, "--seconds", 60, "--log", log)],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while (not log.exists() or log.stat().st_size < 10_000) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.kill_broker()
        said = json.loads(load.communicate(timeout=60)[0])
        self.assertEqual(load.returncode, 1)
        self.start_broker()
        drained = self.ask("drain", "--log", log)
        self.assertEqual(drained["confirmed"], said["confirmed"])
        self.assertEqual(drained["confirmed_lost"], 0)
        self.assertEqual(drained["received"], drained["distinct"])
        self.assertGreaterEqual(drained["distinct"], said["confirmed"])
        self.assertLessEqual(drained["distinct"], said["confirmed"] + said["unconfirmed"])

    def test_a_drain_that_misses_a_confirmed_message_says_so(self):
        log = self.folder / "confirms.log"
        log.write_text("0 999999\n")
        self.assertEqual(self.ask("drain", "--log", log, code=1)["confirmed_lost"], 1)

    def test_every_message_is_delivered_once_at_an_even_rate(self):
        said = self.ask("lat", "--rate", 200, "--seconds", 2, "--warmup", 0.2)
        self.assertEqual(said["received"], said["sent"])
        self.assertEqual(said["dups"], 0)
        self.assertGreater(said["e2e_p50_us"], 0)

    def test_idle_subscribers_stay_connected(self):
        idle = subprocess.Popen([str(part) for part in self.command("idle", "--steps", "50,120", "--limit", 60)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.assertEqual(json.loads(idle.stdout.readline())["conns"], 50)
        idle.stdin.write("on\n")
        idle.stdin.flush()
        second = json.loads(idle.stdout.readline())
        self.assertEqual((second["conns"], second["failed"]), (120, 0))
        idle.communicate(timeout=30)
        self.assertEqual(idle.returncode, 0)

    def test_each_subscriber_gets_every_message_though_some_have_stopped(self):
        said = self.ask("fanout", "--conns", 6, "--slow", 2, "--window", 8, "--seconds", 1, "--warmup", 0.2)
        self.assertEqual((said["subscribers"], said["slow"], said["missing"], said["dups"]), (6, 2, 0, 0))
        self.assertGreater(said["rate"], said["publish_rate"])

    def test_people_are_looked_up_without_a_broker(self):
        said = self.ask("match", "--people", 2000, "--seconds", 0.3)
        self.assertEqual(said["people"], 2000)
        self.assertGreater(said["compared"], 1)
        self.assertGreater(said["found"], 0.3)  # half of those asked for are on the register


class BenchRun(unittest.TestCase):
    def test_the_one_command_prints_ratios_to_the_limits_of_the_machine(self):
        done = subprocess.run([SOURCE / "tools" / "bench" / "run", "--quick", "--seconds", "0.3", "--flags", "200", "--cells", "1x1,2x64",
                               "--rates", "100", "--idle", "20,60", "--stored", "1000", "--people", "1000", "--subscribers", "4"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, env=dict(os.environ))
        text = done.stdout.decode()
        self.assertEqual(done.returncode, 0, text + done.stderr.decode())
        for expected in ("| 1 × 1 |", "| 2 × 64 |", "group_commit, batch 256", "| opaque, 100/s |", "| incident, all hits, 100/s |", "| 4 subscribers, 1 of them stopped |",
                         "| 60 |", "| an idle subscriber |", "| 1,000 |"):
            self.assertIn(expected, text)


if __name__ == "__main__":
    main()
