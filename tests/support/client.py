"""One session with a broker, for tests that have to say and hear things no adapter would: any pace, any credit, any flood.

    client = Client(scenario, "bench/1")            # welcomed
    client.subscribe("main", ["bench/1"], messages=16, octets=1 << 20)
    message = client.publish("bench/1", b"...")     # its id
    for kind, body in client.heard(until=time.monotonic() + 1): ...

The frames are those of tests/scenario/stock_client.py; TLS and ZMTP are spoken here.
"""

import importlib
import pathlib
import socket
import ssl
import struct
import subprocess
import sys
import time

import flagpost
from flagpost import SOURCE

GREETING = bytes([0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1]) + b"NULL".ljust(20, b"\0") + bytes(32)
READY_BODY = b"\x05READY" + b"\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
READY = bytes([4, len(READY_BODY)]) + READY_BODY
HEARTBEAT_S, PATIENCE_S = 4, 20
FRAMES = ("Hello", "Welcome", "Publish", "Confirm", "Refuse", "Subscribe", "Subscribed", "Credit", "Deliver", "Acknowledge", "HighWater",
          "Heartbeat", "Query", "Answer", "Cosign", "Goodbye")


def stock(folder):
    """The stock client's module, with accessors that flatc makes of the schemas."""
    if "stock_client" not in sys.modules:
        accessors = pathlib.Path(folder) / "accessors"
        subprocess.run(["flatc", "--python", "-o", accessors, *sorted((SOURCE / "schemas").glob("*.fbs"))], check=True)
        flagpost.__path__ = [str(accessors / "flagpost")]  # flatc's package has the name of our module: let one be both
        sys.path.insert(0, str(SOURCE / "tests" / "scenario"))
        # Everything now: the folder is gone before the next test begins.
        import stock_client
        for name in FRAMES:
            importlib.import_module(f"flagpost.schemas.{name}")
    return sys.modules["stock_client"]


def table(name):
    return getattr(sys.modules[f"flagpost.schemas.{name}"], name)


class Ended(Exception):
    """The broker ended the session; the text says why."""


class Client:
    def __init__(self, scenario, agency, source="127.0.0.1", welcomed=True):
        self.stock = stock(scenario.folder)
        identity = scenario.identity(agency)
        self.key = self.stock.origin_key(identity)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(scenario.pki / "ca.crt")
        context.load_cert_chain(identity / "tls.crt", identity / "tls.key")
        plain = socket.create_connection(("127.0.0.1", scenario.partnership.port), PATIENCE_S, (source, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = context.wrap_socket(plain, server_hostname="localhost")
        self.input, self.spoken = b"", time.monotonic()
        self.tls.sendall(GREETING + READY)
        while len(self.input) < 66 or len(self.input) < 66 + self.input[65]:
            self.input += self.tls.recv(65536)
        self.begin = 66 + self.input[65]
        if welcomed:
            self.send(self.stock.hello())
            self.wait_for("Welcome")

    def close(self):
        self.tls.close()

    def send(self, frame):
        self.spoken = time.monotonic()
        self.tls.settimeout(PATIENCE_S)
        self.tls.sendall(b"\x02" + struct.pack(">Q", len(frame)) + frame)

    # --- Saying

    def make(self, topic, payload, message=None):
        """The id and the frame of an opaque publish."""
        message = message or self.stock.uuid7()
        envelope = self.stock.envelope(message, topic, payload, self.stock.Kind.Kind.opaque)
        return message, self.stock.publish(envelope, self.stock.origin_signature(self.key, envelope))

    def publish(self, topic, payload):
        message, frame = self.make(topic, payload)
        self.send(frame)
        return message

    def subscribe(self, durable, topics, messages=1024, octets=8 << 20):
        def build(builder):
            Subscribe = sys.modules["flagpost.schemas.Subscribe"]
            name, texts = builder.CreateString(durable), [builder.CreateString(topic) for topic in topics]
            Subscribe.SubscribeStartTopicsVector(builder, len(texts))
            for text in reversed(texts):
                builder.PrependUOffsetTRelative(text)
            listed = builder.EndVector()
            Subscribe.SubscribeStart(builder)
            Subscribe.SubscribeAddDurable(builder, name)
            Subscribe.SubscribeAddTopics(builder, listed)
            Subscribe.SubscribeAddCreditMessages(builder, messages)
            Subscribe.SubscribeAddCreditBytes(builder, octets)
            return Subscribe.SubscribeEnd(builder)
        self.send(self.stock.frame(self.stock.Body.Body.Subscribe, build))
        self.wait_for("Subscribed")

    def acknowledge(self, topic, numbers):
        def build(builder):
            Acknowledge = sys.modules["flagpost.schemas.Acknowledge"]
            name = builder.CreateString(topic)
            Acknowledge.AcknowledgeStartNumbersVector(builder, len(numbers))
            for number in reversed(numbers):
                builder.PrependUint64(number)
            listed = builder.EndVector()
            Acknowledge.AcknowledgeStart(builder)
            Acknowledge.AcknowledgeAddTopic(builder, name)
            Acknowledge.AcknowledgeAddNumbers(builder, listed)
            return Acknowledge.AcknowledgeEnd(builder)
        self.send(self.stock.frame(self.stock.Body.Body.Acknowledge, build))

    def grant(self, messages, octets):
        def build(builder):
            Credit = sys.modules["flagpost.schemas.Credit"]
            Credit.CreditStart(builder)
            Credit.CreditAddMessages(builder, messages)
            Credit.CreditAddBytes(builder, octets)
            return Credit.CreditEnd(builder)
        self.send(self.stock.frame(self.stock.Body.Body.Credit, build))

    def keep_alive(self):
        def build(builder):
            Heartbeat = sys.modules["flagpost.schemas.Heartbeat"]
            Heartbeat.HeartbeatStart(builder)
            return Heartbeat.HeartbeatEnd(builder)
        if time.monotonic() > self.spoken + HEARTBEAT_S:
            self.send(self.stock.frame(self.stock.Body.Body.Heartbeat, build))

    # --- Hearing

    def heard(self, until):
        """Frames as (name, table) up to that moment; heartbeats go out meanwhile."""
        while True:
            yield from self.whole_frames()
            left = until - time.monotonic()
            if left <= 0:
                return
            self.keep_alive()
            self.tls.settimeout(min(left, 1.0))
            try:
                part = self.tls.recv(1 << 18)
            except TimeoutError:
                continue
            except (ConnectionError, ssl.SSLError) as error:
                raise Ended(str(error)) from error
            if not part:
                raise Ended("closed")
            self.input, self.begin = self.input[self.begin:] + part, 0

    def whole_frames(self):
        while (frame := self.next_frame()) is not None:
            content, command = frame
            if not command:
                yield self.opened(content)

    def next_frame(self):
        """Taken out of what has come, if a whole one has: whoever listens may stop at any frame."""
        if len(self.input) - self.begin < 2:
            return None
        flags, long = self.input[self.begin], self.input[self.begin] & 2
        if long and len(self.input) - self.begin < 9:
            return None
        size, start = (struct.unpack_from(">Q", self.input, self.begin + 1)[0], self.begin + 9) if long else \
            (self.input[self.begin + 1], self.begin + 2)
        if len(self.input) < start + size:
            return None
        content, self.begin = self.input[start:start + size], start + size
        return content, flags & 4

    def opened(self, content):
        frame = self.stock.Frame.Frame.GetRootAs(content, 0)
        name = next(name for name, number in vars(self.stock.Body.Body).items() if number == frame.BodyType())
        body = table(name)()
        body.Init(frame.Body().Bytes, frame.Body().Pos)
        if name == "Goodbye":
            raise Ended(f"goodbye: reason {body.Reason()} {body.Where()}")
        return name, body

    def wait_for(self, name, wait_s=PATIENCE_S):
        for kind, body in self.heard(time.monotonic() + wait_s):
            if kind == name:
                return body
        raise AssertionError(f"no {name} within {wait_s} s")
