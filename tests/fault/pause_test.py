#!/usr/bin/python3
"""T12: a broker, then an adapter, is stopped for longer than silence is borne, and goes on: sessions come back, and nothing is
lost or recorded twice. FLAGPOST_PAUSE_S says how long (18 in tools/test, 60 in the shard network)."""

import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from feeding import FORCE, Feeding  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import main_side_by_side, until  # noqa: E402

PAUSE_S = float(os.environ.get("FLAGPOST_PAUSE_S", "18"))  # above limits::dead_after
BACK_S = 60  # a handshake given up, the largest back-off, a busy machine
COUNT = 5000


class Pause(Feeding):
    def in_the_middle_of(self, name):
        """A daemon that has some of a file confirmed and some not."""
        self.start_broker()
        self.config(FORCE)
        adapter = self.feed(FORCE)
        until(lambda: self.connected(FORCE), 30, "the adapter is connected")
        self.put(FORCE, name, COUNT)
        until(lambda: 0 < self.counts(FORCE)[1] < COUNT, 60, "some are confirmed and some not")
        return adapter

    def pause(self, process, what):
        process.send_signal(signal.SIGSTOP)
        time.sleep(PAUSE_S)  # the fault itself: so long it does not run
        process.send_signal(signal.SIGCONT)
        since = time.monotonic()
        until(lambda: self.connected(FORCE, 2), BACK_S, "the session had ended, and another came")
        back_s = time.monotonic() - since
        self.all_are_confirmed(FORCE, COUNT)
        recorded = self.times_in_the_log()
        self.assertEqual(len(recorded), COUNT)
        self.assertEqual(set(recorded.values()), {1}, "each is in the log once")
        repeated = self.figures_of_the_broker()["repeated"]
        figure("T12", **{f"{what}_paused_s": PAUSE_S, f"{what}_back_after_s": round(back_s, 1), f"{what}_lost": 0, f"{what}_twice": 0,
                         f"{what}_repeats_known": repeated})

    def test_a_broker_stopped_and_continued_loses_nothing(self):
        self.in_the_middle_of("broker.csv")
        self.pause(self.partnership.broker, "broker")

    def test_an_adapter_stopped_and_continued_loses_nothing(self):
        self.pause(self.in_the_middle_of("adapter.csv"), "adapter")


main_side_by_side()
