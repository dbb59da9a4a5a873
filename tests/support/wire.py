"""Two places of this machine joined by a wire that a test may spoil: packets lost, held up, out of order, one way or both.

    class AThingHolds(OverAWire):                 # the broker here, everybody else there
        def test_it(self):
            self.wire.to_broker.lost = 0.5        # half of the packets towards it
            self.wire.to_adapters.open = False    # nothing comes back: no FIN, no RST

The kernel's netem would do the same where it is built in; this needs only TUN devices and network namespaces. IP packets are
read from one device and written to the other, so TCP on both sides sees what a bad network shows it.
"""

import ctypes
import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from feeding import Feeding

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
HERE, THERE = "10.77.0.1", "10.77.0.2"
CLONE_NEWNET = 0x40000000
QUEUED_MAX = 1000  # packets held up at once in each direction; more are lost, as in a router


def enter(namespace):
    """Moves the calling thread there; os.setns is younger than Debian 12's Python."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Direction:
    """What happens to packets of one way. Changed while it runs."""

    def __init__(self, random_):
        self.mend()
        self.passed = self.dropped = self.overtaken = 0
        self.random, self.waiting, self.number, self.newest = random_, [], 0, -1

    def mend(self):
        self.open, self.lost, self.jitter_s = True, 0.0, 0.0

    def take(self, packet, now):
        self.number += 1
        if not self.open or len(self.waiting) >= QUEUED_MAX or self.random.random() < self.lost:
            self.dropped += 1
            return
        # Each packet is late on its own account: a long one is overtaken by those behind it.
        due = now + self.random.uniform(0, self.jitter_s)
        heapq.heappush(self.waiting, (due, self.number, packet))

    def due(self, now):
        while self.waiting and self.waiting[0][0] <= now:
            _, number, packet = heapq.heappop(self.waiting)
            self.overtaken += number < self.newest
            self.newest = max(self.newest, number)
            self.passed += 1
            yield packet


class Wire:
    made = itertools.count()

    def __init__(self, seed=7):
        self.to_adapters, self.to_broker = Direction(random.Random(seed)), Direction(random.Random(seed + 1))
        self.here, self.there = (f"flagpost-{os.getpid()}-{next(self.made)}" for _ in range(2))
        self.devices, self.stopping = [], threading.Event()
        self.hosts = tempfile.NamedTemporaryFile("w", prefix="flagpost-hosts-")
        self.hosts.write(f"{HERE} localhost\n")  # the name in the broker's certificate
        self.hosts.flush()
        self.thread = threading.Thread(target=self.relay)

    def mend(self):
        self.to_broker.mend()
        self.to_adapters.mend()

    def __enter__(self):
        try:
            for name in (self.here, self.there):
                self.command("ip", "netns", "add", name)
            for name, address in ((self.here, HERE), (self.there, THERE)):
                self.devices.append(self.device(name))
                self.command("ip", "-n", name, "address", "add", f"{address}/24", "dev", "wire")
                for link in ("lo", "wire"):
                    self.command("ip", "-n", name, "link", "set", link, "up")
        except (OSError, subprocess.CalledProcessError, FileNotFoundError) as problem:
            self.remove()
            raise unittest.SkipTest(f"network namespaces are not permitted here: {problem}") from problem
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        self.remove()

    @staticmethod
    def command(*words):
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    @staticmethod
    def device(name):
        """A TUN device inside the namespace, held by us outside of it."""
        found = {}

        def make():
            with open(f"/var/run/netns/{name}") as namespace:
                enter(namespace.fileno())
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", b"wire", IFF_TUN | IFF_NO_PI))
            found["fd"] = fd
        maker = threading.Thread(target=make)  # a namespace is a thread's: this one ends with it
        maker.start()
        maker.join()
        if "fd" not in found:
            raise OSError("no TUN device")
        return found["fd"]

    def remove(self):
        for fd in self.devices:
            os.close(fd)
        self.devices = []
        for name in (self.here, self.there):
            subprocess.run(["ip", "netns", "delete", name], check=False, stderr=subprocess.DEVNULL)
        self.hosts.close()

    def inside(self, name, command):
        """The command line that runs `command` in that place, where "localhost" is the broker's; its process id stays the same."""
        script = 'mount --bind "$0" /etc/hosts && exec "$@"'
        return ["ip", "netns", "exec", name, "sh", "-c", script, self.hosts.name, *map(str, command)]

    def relay(self):
        ways = {self.devices[0]: (self.to_adapters, self.devices[1]), self.devices[1]: (self.to_broker, self.devices[0])}
        while not self.stopping.is_set():
            now = time.monotonic()
            for way, out in ways.values():
                for packet in way.due(now):
                    try:
                        os.write(out, packet)
                    except BlockingIOError:
                        way.dropped += 1
            next_due = min((way.waiting[0][0] for way, _ in ways.values() if way.waiting), default=now + 0.05)
            readable, _, _ = select.select(list(ways), [], [], max(0.0, min(0.05, next_due - now)))
            now = time.monotonic()
            for fd in readable:
                for _ in range(64):
                    try:
                        ways[fd][0].take(os.read(fd, 65536), now)
                    except BlockingIOError:
                        break


class OverAWire(Feeding):
    """The broker at one end of a wire, every other program at the other."""

    def setUp(self):
        super().setUp()
        self.wire = self.enterContext(Wire())  # outlives the processes, whose cleanup was added after it
        self.partnership.address = HERE
        plain = self.partnership.command_of
        self.partnership.command_of = lambda program, *arguments: self.wire.inside(
            self.wire.here if program == "flagpost-broker" and arguments[0] == "run" else self.wire.there, plain(program, *arguments))
        self.addCleanup(self.partnership.close)
