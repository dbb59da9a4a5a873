#!/usr/bin/python3
"""More connections than the broker has descriptors for: it stops accepting at 80 % of those it has left, those it has are served as before,
those that wait are let in when others go, and being full costs nothing (T28)."""

import os
import pathlib
import re
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from client import Client  # noqa: E402
from feeding import Feeding  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import main, until  # noqa: E402

DESCRIPTORS = 120
LOOK_S = 5


class Descriptors(Feeding):
    agencies = ["bench/1"]

    def setUp(self):
        super().setUp()
        plain = self.partnership.command_of
        self.partnership.command_of = lambda *words: ["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}", *plain(*words)]
        self.start_broker()
        self.clients = []
        self.addCleanup(lambda: [client.close() for client in self.clients])

    def come(self, number):
        # Sources of their own: one address may have only so many handshakes under way.
        self.clients.append(Client(self, "bench/1", source=f"127.0.1.{1 + number % 200}"))

    def keep_alive(self):
        for client in self.clients:
            client.keep_alive()

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.partnership.broker.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_accept_stops_in_time_and_those_inside_notice_nothing(self):
        allowed = int(until(lambda: re.search(r"at most (\d+) connections", self.broker_log()), 10, "the gate says how many")[1])
        for number in range(allowed):
            self.come(number)
            self.keep_alive()
        outside = [socket.create_connection(("127.0.0.1", self.partnership.port), 10, (f"127.0.2.{n}", 0)) for n in range(1, 31)]
        self.addCleanup(lambda: [each.close() for each in outside])
        used = len(os.listdir(f"/proc/{self.partnership.broker.pid}/fd"))
        self.assertLess(used, DESCRIPTORS, "there is always one left for the store")

        begun, spent = time.monotonic(), self.cpu_s()
        confirmed = 0
        while time.monotonic() < begun + LOOK_S:
            self.keep_alive()
            self.clients[0].publish("bench/1", b"inside")
            self.clients[0].wait_for("Confirm")
            confirmed += 1
            time.sleep(0.2)
        percent = 100 * (self.cpu_s() - spent) / (time.monotonic() - begun)
        self.assertGreater(confirmed, 0)
        self.assertEqual(self.broker_log().count("session ended"), 0)

        for each in outside:
            each.close()
        for client in self.clients[-5:]:
            client.close()
        del self.clients[-5:]
        until(lambda: self.broker_log().count("session ended") >= 5, 20, "five have gone")
        for number in range(3):
            self.come(number)
        figure("T28", descriptors=DESCRIPTORS, connections=allowed, used_when_full=used, cpu_percent_when_full=round(percent, 1), let_in_after=3)


main()
