#!/usr/bin/python3
"""T17: a wire that passes packets one way only, loses half of them, holds them up and lets them overtake each other: nothing
confirmed is lost, nothing is recorded twice, and what throughput is kept is said. FLAGPOST_PHASE_S says how long each lasts (8 in
tools/test, 120 in the shard network)."""

import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from feeding import FORCE  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import main_side_by_side, until  # noqa: E402
from wire import OverAWire  # noqa: E402

PHASE_S = float(os.environ.get("FLAGPOST_PHASE_S", "8"))
PER_FILE, WAITING_MIN = 1000, 2500  # more than the window, so that the network is what limits


class BadNetwork(OverAWire):
    def setUp(self):
        super().setUp()
        self.files = 0
        self.start_broker()
        self.config(FORCE)
        self.feed(FORCE)
        until(lambda: self.connected(FORCE), 30, "the adapter is connected")

    def rate(self):
        """Confirms a second while there is always enough to send."""
        begun, since = self.counts(FORCE)[1], time.monotonic()
        while time.monotonic() < since + PHASE_S:
            if self.counts(FORCE)[0] < WAITING_MIN:
                self.put(FORCE, f"file{self.files}.csv", PER_FILE)
                self.files += 1
            time.sleep(0.1)
        return (self.counts(FORCE)[1] - begun) / (time.monotonic() - since)

    def spoil(self, what, change):
        """The same wire, good, spoilt and good again; everything must be there in the end."""
        good = self.rate()
        change(self.wire)
        bad = self.rate()
        confirmed_when_bad = self.counts(FORCE)[1]
        wire = self.wire
        dropped, overtaken = wire.to_broker.dropped + wire.to_adapters.dropped, wire.to_broker.overtaken + wire.to_adapters.overtaken
        wire.mend()
        self.all_are_confirmed(FORCE, self.files * PER_FILE, 120)
        self.assertGreaterEqual(self.counts(FORCE)[1], confirmed_when_bad)
        recorded = self.times_in_the_log()
        self.assertEqual(len(recorded), self.files * PER_FILE, "what was confirmed is in the log")
        self.assertEqual(set(recorded.values()), {1}, "once")
        figure("T17", **{f"{what}_throughput_kept_percent": round(100 * bad / good, 1), f"{what}_packets_dropped": dropped,
                         f"{what}_packets_overtaken": overtaken, f"{what}_acked_lost": 0})
        return dropped, overtaken

    def test_one_way_to_the_broker_only(self):
        def change(wire):
            wire.to_adapters.open = False
        self.assertGreater(self.spoil("one_way", change)[0], 0, "the wire was spoilt")

    def test_half_of_the_packets_lost(self):
        def change(wire):
            wire.to_broker.lost = wire.to_adapters.lost = 0.5
        self.assertGreater(self.spoil("loss_50_percent", change)[0], 0, "the wire was spoilt")

    def test_half_a_second_of_jitter_out_of_order(self):
        def change(wire):
            wire.to_broker.jitter_s = wire.to_adapters.jitter_s = 0.5
        self.assertGreater(self.spoil("jitter_500_ms", change)[1], 0, "packets overtook each other")


main_side_by_side()
