#!/usr/bin/python3
"""T13: one consumer takes a message a second beside others that take all at once: theirs come as fast as before, nothing is dropped,
and the broker's memory stays within its budgets. FLAGPOST_SLOW_S says how long (8 in tools/test, 300 in the shard network)."""

import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import zmq

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from client import Client  # noqa: E402
from feeding import Feeding  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import BIN, main  # noqa: E402

SECONDS = float(os.environ.get("FLAGPOST_SLOW_S", "8"))
FAST, SLOW = "bench/1", "bench/2"  # mailboxes; flagpost-bench publishes to the first and reads it
RATE, SIZE = 200, 8192
BURST, BURST_S, UNANSWERED = 32, 0.1, 256  # what the slow mailbox gets: no flood, or it is the flood that is measured
# pending_bytes_max, envelope_cache_bytes_max, output_queue_max, and a commit of batch_bytes_max under way twice
BUDGET_MIB = 64 + 16 + 12 + 8


class Consumer(threading.Thread):
    """Takes what the slow mailbox brings; `pace_s` between two of them."""

    def __init__(self, scenario, pace_s, stop):
        super().__init__()
        self.client, self.pace_s, self.stop, self.numbers, self.failure = Client(scenario, SLOW), pace_s, stop, [], None
        # Slow is who takes its time over what it has; who leaves it in the socket for long is taken for gone (fault.stalled_reader).
        self.client.subscribe("slow", [SLOW], messages=8 if pace_s else 1024)
        self.start()

    def run(self):
        try:
            while not self.stop(self):
                for kind, body in self.client.heard(time.monotonic() + 0.2):
                    if kind == "Deliver":
                        self.take(body.Number(), body.EnvelopeLength() + 100)
        except Exception as failure:  # noqa: BLE001 (told by the test's own thread)
            self.failure = failure
        self.client.close()

    def take(self, number, size):
        self.numbers.append(number)
        self.client.acknowledge(SLOW, [number])
        self.client.grant(1, size)
        if self.pace_s and not self.stop(self):
            time.sleep(self.pace_s)


class Publisher(threading.Thread):
    """Keeps the slow mailbox filling."""

    def __init__(self, scenario, over):
        super().__init__()
        self.client, self.over, self.confirmed, self.refused, self.failure = Client(scenario, SLOW), over, 0, 0, None
        self.start()

    def run(self):
        payload, unanswered, next_burst = os.urandom(SIZE), 0, 0.0
        try:
            while not self.over.is_set() or unanswered:
                if not self.over.is_set() and unanswered < UNANSWERED and time.monotonic() >= next_burst:
                    next_burst = time.monotonic() + BURST_S
                    for _ in range(BURST):
                        self.client.publish(SLOW, payload)
                    unanswered += BURST
                for kind, _ in self.client.heard(time.monotonic() + 0.01):
                    self.confirmed += kind == "Confirm"
                    self.refused += kind == "Refuse"
                    unanswered -= kind in ("Confirm", "Refuse")
        except Exception as failure:  # noqa: BLE001
            self.failure = failure
        self.client.close()


class SlowConsumer(Feeding):
    agencies = [FAST, SLOW]

    def fast(self):
        """How the fast one fares meanwhile."""
        done = subprocess.run([BIN / "flagpost-bench", "--mode", "lat", "--broker", f"localhost:{self.partnership.port}", "--certs", self.pki,
                               "--rate", str(RATE), "--seconds", str(SECONDS), "--warmup", "1"], stdout=subprocess.PIPE, check=True, timeout=SECONDS + 120)
        said = json.loads(done.stdout)
        self.assertEqual(said["received"], said["sent"], "nothing was dropped for the fast one")
        return said

    def beside(self, pace_s):
        """The fast one's figures while the other mailbox fills and is read at this pace; what the reader took."""
        over, enough = threading.Event(), threading.Event()
        consumer = Consumer(self, pace_s, lambda _: enough.is_set())
        publisher = Publisher(self, over)
        said = self.fast()
        over.set()
        publisher.join()
        enough.set()
        consumer.join()
        self.assertIsNone(publisher.failure)
        self.assertIsNone(consumer.failure)
        self.assertEqual(publisher.refused, 0)
        return said, publisher.confirmed, consumer.numbers

    def test_a_slow_consumer_costs_the_others_nothing_and_loses_nothing(self):
        self.start_broker()
        quick, published, taken = self.beside(0)
        before_mib = self.memory_mib("VmRSS")
        slow, more, seen = self.beside(1.0)
        peak_mib = self.memory_mib()
        self.assertLessEqual(len(seen), SECONDS + 30, "it was slow")
        self.assertLessEqual(peak_mib - before_mib, BUDGET_MIB)
        # It may now be as quick as it likes: every number comes, and none that was not published.
        total = published + more
        give_up = time.monotonic() + 120 + SECONDS
        rest = Consumer(self, 0, lambda it: (it.numbers and it.numbers[-1] >= total) or time.monotonic() > give_up)
        rest.join()
        self.assertIsNone(rest.failure)
        self.assertEqual(sorted(set(taken + seen + rest.numbers)), list(range(1, total + 1)))
        self.assertEqual(self.figures_of_the_broker()["gates_stuck"], 0)
        figure("T13", slow_took=len(seen), backlog=more - len(seen), fast_e2e_p99_us_beside_quick=quick["e2e_p99_us"],
               fast_e2e_p99_us_beside_slow=slow["e2e_p99_us"], fast_p99_ratio=round(slow["e2e_p99_us"] / quick["e2e_p99_us"], 2), drops=0,
               rss_grew_mib=peak_mib - before_mib, rss_budget_mib=BUDGET_MIB)

    def test_control_a_plain_router_drops_for_the_slow_without_a_word(self):
        context = zmq.Context()
        router, dealer = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)  # as made: no ROUTER_MANDATORY
        for each, option in ((router, zmq.SNDHWM), (dealer, zmq.RCVHWM)):
            each.setsockopt(option, 100)
        dealer.setsockopt(zmq.IDENTITY, b"slow")
        port = router.bind_to_random_port("tcp://127.0.0.1")
        dealer.connect(f"tcp://127.0.0.1:{port}")
        dealer.send(b"here")
        router.recv_multipart()
        sent = 20_000
        for _ in range(sent):
            router.send_multipart([b"slow", b"x" * SIZE], zmq.NOBLOCK)  # no error, whatever becomes of it
        received = 0
        while dealer.poll(500):
            dealer.recv()
            received += 1
        context.destroy(0)
        self.assertLess(received, sent)
        figure("T13", control_plain_router_sent=sent, control_plain_router_lost=sent - received)


main()
