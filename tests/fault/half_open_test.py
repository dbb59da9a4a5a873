#!/usr/bin/python3
"""T16: packets of a connection vanish, without FIN or RST, one way or both: both sides notice within 20 s, and when packets pass
again everything goes on."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from feeding import FORCE  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import main_side_by_side, until  # noqa: E402
from wire import OverAWire  # noqa: E402

DETECTED_S, LOOKED_S = 20, 60


class HalfOpen(OverAWire):
    def session(self):
        self.start_broker()
        self.config(FORCE)
        self.feed(FORCE)
        until(lambda: self.connected(FORCE), 30, "the adapter is connected")

    def noticed(self, what, broker, adapters):
        """Seconds until each side knew."""
        self.session()
        self.wire.to_broker.open, self.wire.to_adapters.open = broker, adapters
        since, knew = time.monotonic(), {}

        def look():
            for side, knows in (("adapter", "no connection to the broker" in self.said(FORCE)),
                                ("broker", "session ended agency=police/31" in self.broker_log())):
                if knows:
                    knew.setdefault(side, round(time.monotonic() - since, 1))
            return len(knew) == 2
        until(look, LOOKED_S, "both sides know that the connection is dead")
        # What was put in meanwhile is not sent, and does not look so.
        self.put(FORCE, "meanwhile.csv", 10)
        until(lambda: self.counts(FORCE)[0] == 10, 20, "it waits in the outbox")
        self.wire.to_broker.open = self.wire.to_adapters.open = True
        self.all_are_confirmed(FORCE, 10)
        figure("T16", **{f"{what}_{side}_knew_after_s": seconds for side, seconds in knew.items()})
        self.assertLessEqual(max(knew.values()), DETECTED_S)

    def test_both_ways(self):
        self.noticed("both_ways", broker=False, adapters=False)

    def test_towards_the_broker(self):
        self.noticed("to_broker", broker=False, adapters=True)

    def test_towards_the_adapter(self):
        self.noticed("to_adapter", broker=True, adapters=False)

    def test_control_without_a_fault_nobody_notices_anything(self):
        self.session()
        time.sleep(DETECTED_S)  # nothing happens for longer than a dead connection may go unnoticed
        self.assertNotIn("no connection", self.said(FORCE))
        self.assertNotIn("session ended", self.broker_log())


main_side_by_side()
