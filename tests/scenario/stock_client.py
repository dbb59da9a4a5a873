#!/usr/bin/python3
"""A client written from schemas/README.md alone: publishes one incident and checks what it was told.

Knows nothing of Flagpost but that page and the accessors that flatc makes of the schemas. It is a ZeroMQ DEALER that
talks to a TLS tunnel on this machine.

    stock_client.py ACCESSORS ENDPOINT IDENTITY LOG_VKEY
"""

import base64
import hashlib
import json
import pathlib
import secrets
import sys
import time

import zmq
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])

import flatbuffers  # noqa: E402
from flagpost.schemas import (Answer, Body, Confirm, Envelope, Frame, Goodbye, Hello, Incident, Kind, Origin,  # noqa: E402
                              Publish, Query, QueryKind, Refuse, Welcome)

FRAME, ENVELOPE = b"FPF1", b"FPE1"
PATIENCE_MS = 10_000


# --- Building

def frame(kind, build):
    """A frame around the body that `build` adds to a builder."""
    builder = flatbuffers.Builder(1024)
    body = build(builder)
    Frame.FrameStart(builder)
    Frame.FrameAddBodyType(builder, kind)
    Frame.FrameAddBody(builder, body)
    builder.Finish(Frame.FrameEnd(builder), FRAME)
    return bytes(builder.Output())


def hello():
    def build(builder):
        software = builder.CreateString("stock-client/1")
        Hello.HelloStart(builder)
        Hello.HelloAddVersion(builder, 1)
        Hello.HelloAddSoftware(builder, software)
        return Hello.HelloEnd(builder)
    return frame(Body.Body.Hello, build)


def incident(reference):
    builder = flatbuffers.Builder(1024)
    force, name = builder.CreateString("31"), builder.CreateString(reference)
    facts = builder.CreateString("Neighbour heard shouting.")
    Incident.IncidentStart(builder)
    Incident.IncidentAddForce(builder, force)
    Incident.IncidentAddReference(builder, name)
    Incident.IncidentAddVersion(builder, 1)
    Incident.IncidentAddOccurredUs(builder, now_us())
    Incident.IncidentAddRecordedUs(builder, now_us())
    Incident.IncidentAddDomesticAbuse(builder, True)
    Incident.IncidentAddCircumstances(builder, facts)
    builder.Finish(Incident.IncidentEnd(builder))
    return bytes(builder.Output())


def envelope(message_id, topic, payload, kind=Kind.Kind.incident):
    builder = flatbuffers.Builder(len(payload) + 512)
    parts = [builder.CreateByteVector(part) for part in (message_id, secrets.token_bytes(16), payload)]
    where = builder.CreateString(topic)
    Envelope.EnvelopeStart(builder)
    Envelope.EnvelopeAddId(builder, parts[0])
    Envelope.EnvelopeAddKind(builder, kind)
    Envelope.EnvelopeAddTopic(builder, where)
    Envelope.EnvelopeAddCreatedUs(builder, now_us())
    Envelope.EnvelopeAddSalt(builder, parts[1])
    Envelope.EnvelopeAddPayload(builder, parts[2])
    builder.Finish(Envelope.EnvelopeEnd(builder), ENVELOPE)
    return bytes(builder.Output())


def publish(message, signature):
    def build(builder):
        signed = builder.CreateByteVector(signature)
        Origin.OriginStart(builder)
        Origin.OriginAddSignature(builder, signed)
        Origin.OriginAddIndex(builder, 0)
        Origin.OriginAddSize(builder, 1)
        origin = Origin.OriginEnd(builder)
        content = builder.CreateByteVector(message)
        Publish.PublishStart(builder)
        Publish.PublishAddEnvelope(builder, content)
        Publish.PublishAddOrigin(builder, origin)
        return Publish.PublishEnd(builder)
    return frame(Body.Body.Publish, build)


def query(request, kind, level=0, start=0, width=0):
    def build(builder):
        Query.QueryStart(builder)
        Query.QueryAddRequest(builder, request)
        Query.QueryAddKind(builder, kind)
        Query.QueryAddLevel(builder, level)
        Query.QueryAddFrom_(builder, start)
        Query.QueryAddWidth(builder, width)
        return Query.QueryEnd(builder)
    return frame(Body.Body.Query, build)


def goodbye():
    def build(builder):
        Goodbye.GoodbyeStart(builder)
        return Goodbye.GoodbyeEnd(builder)
    return frame(Body.Body.Goodbye, build)


def now_us():
    return time.time_ns() // 1000


def uuid7():
    made = bytearray((time.time_ns() // 1_000_000).to_bytes(6, "big") + secrets.token_bytes(10))
    made[6] = made[6] & 0x0F | 0x70
    made[8] = made[8] & 0x3F | 0x80
    return bytes(made)


# --- Signing and checking

def sha256(data):
    return hashlib.sha256(data).digest()


def origin_key(identity):
    return serialization.load_pem_private_key((pathlib.Path(identity) / "origin.key").read_bytes(), None)


def origin_signature(key, message):
    """Of a batch of one: its leaf is its root."""
    root = sha256(b"\x00" + sha256(message))
    return key.sign(b"flagpost-origin/1\n" + root, ec.ECDSA(hashes.SHA256()))


def tree_root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + tree_root(leaves[:split]) + tree_root(leaves[split:]))


def open_checkpoint(note, vkey):
    """Size and root of a signed head; fails unless the log's key signed it."""
    name, key_id, encoded = vkey.split("+", 2)
    key = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:])
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    for line in signatures.splitlines():
        _, signer, blob = line.split(" ")
        blob = base64.b64decode(blob)
        if signer == name and blob[:4].hex() == key_id:
            key.verify(blob[4:], text.encode())
            origin, size, root = text.splitlines()
            assert origin == name
            return int(size), base64.b64decode(root)
    raise AssertionError("the log's key did not sign this head")


# --- Talking

class Session:
    def __init__(self, endpoint):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 1000)
        self.socket.connect(endpoint)

    def send(self, data):
        self.socket.send(data)

    def receive(self, kind, table):
        """The next frame that is no heartbeat, which must be of this kind."""
        while True:
            if not self.socket.poll(PATIENCE_MS):
                raise AssertionError("the broker said nothing")
            content = self.socket.recv()
            assert Frame.Frame.FrameBufferHasIdentifier(content, 0)
            got = Frame.Frame.GetRootAs(content, 0)
            if got.BodyType() == Body.Body.Heartbeat:
                continue
            if got.BodyType() != kind:
                raise AssertionError(f"frame {got.BodyType()} instead of {kind}: {why(got)}")
            body = table()
            body.Init(got.Body().Bytes, got.Body().Pos)
            return body

    def ask(self, request, *arguments, **named):
        self.send(query(request, *arguments, **named))
        answer = self.receive(Body.Body.Answer, Answer.Answer)
        assert answer.Request() == request
        return octets(answer, "Content")


def why(got):
    for kind, table in ((Body.Body.Refuse, Refuse.Refuse), (Body.Body.Goodbye, Goodbye.Goodbye)):
        if got.BodyType() == kind:
            body = table()
            body.Init(got.Body().Bytes, got.Body().Pos)
            return f"reason {body.Reason()} {body.Where()}"
    return ""


def octets(table, name):
    """A byte vector of a table."""
    return bytes(getattr(table, name)(i) for i in range(getattr(table, name + "Length")()))


def main():
    _, _, endpoint, identity, vkey_file = sys.argv
    vkey = pathlib.Path(vkey_file).read_text().strip()
    session = Session(endpoint)
    session.send(hello())
    welcome = session.receive(Body.Body.Welcome, Welcome.Welcome)
    size_before, _ = open_checkpoint(welcome.Checkpoint().decode(), vkey)

    message_id = uuid7()
    message = envelope(message_id, "incidents/31", incident("STOCK-1"))
    frame_sent = publish(message, origin_signature(origin_key(identity), message))
    session.send(frame_sent)
    confirm = session.receive(Body.Body.Confirm, Confirm.Confirm)
    assert octets(confirm, "Id") == message_id
    assert confirm.Outcome() == 0 and confirm.Index() >= size_before

    session.send(frame_sent)  # once more, as after a lost connection
    again = session.receive(Body.Body.Confirm, Confirm.Confirm)
    assert again.Outcome() == 1 and again.Index() == confirm.Index()

    # The log is small yet: one tile holds every leaf.
    tile = session.ask(1, QueryKind.QueryKind.tile, width=confirm.Size())
    leaves = [tile[at:at + 32] for at in range(0, len(tile), 32)]
    assert leaves[confirm.Index()] == octets(confirm, "Leaf")
    assert tree_root(leaves) == octets(confirm, "Root")

    deadline = time.monotonic() + PATIENCE_MS / 1000
    size, root, request = 0, b"", 1
    while size < confirm.Size():
        assert time.monotonic() < deadline, "no signed head holds the message"
        request += 1
        size, root = open_checkpoint(session.ask(request, QueryKind.QueryKind.checkpoint).decode(), vkey)
        time.sleep(0.05)
    tile = session.ask(request + 1, QueryKind.QueryKind.tile, width=size)
    assert tree_root([tile[at:at + 32] for at in range(0, len(tile), 32)]) == root
    assert tile[32 * confirm.Index():][:32] == octets(confirm, "Leaf")

    session.send(goodbye())
    print(json.dumps({"agency": welcome.Agency().decode(), "id": message_id.hex(), "index": confirm.Index(), "size": size}))


if __name__ == "__main__":
    main()
