#!/usr/bin/python3
"""A consumer of one mailbox that behaves as it is told: a ZeroMQ DEALER behind a stock TLS tunnel, written from schemas/README.md.

    consumer.py ACCESSORS ENDPOINT TOPIC --items N [--acknowledge all|none|NUMBER...] [--poison NUMBER]

Prints a JSON line for each delivery, then one for what it was refused. Takes N deliveries, then acknowledges, asks the
broker something, and ends when that is answered: all it said before is dealt with by then. With --poison it acknowledges
each delivery at once and is killed on the spot by the delivery of that number.
"""

import argparse
import collections
import json
import os
import signal
import sys

import zmq

sys.path.insert(0, sys.argv[1])

import flatbuffers  # noqa: E402
from flagpost.schemas import (Acknowledge, Answer, Body, Deliver, Envelope, Frame, Goodbye, Hello, Query, QueryKind, Refuse,  # noqa: E402
                              Subscribe)

PATIENCE_MS = 15_000


def frame(kind, build):
    """A frame around the body that `build` adds to a builder."""
    builder = flatbuffers.Builder(512)
    body = build(builder)
    Frame.FrameStart(builder)
    Frame.FrameAddBodyType(builder, kind)
    Frame.FrameAddBody(builder, body)
    builder.Finish(Frame.FrameEnd(builder), b"FPF1")
    return bytes(builder.Output())


def hello(builder):
    software = builder.CreateString("test-consumer/1")
    Hello.HelloStart(builder)
    Hello.HelloAddVersion(builder, 1)
    Hello.HelloAddSoftware(builder, software)
    return Hello.HelloEnd(builder)


def subscribe(topic, credit):
    def build(builder):
        durable, name = builder.CreateString("consumer"), builder.CreateString(topic)
        Subscribe.SubscribeStartTopicsVector(builder, 1)
        builder.PrependUOffsetTRelative(name)
        topics = builder.EndVector()
        Subscribe.SubscribeStart(builder)
        Subscribe.SubscribeAddDurable(builder, durable)
        Subscribe.SubscribeAddTopics(builder, topics)
        Subscribe.SubscribeAddCreditMessages(builder, credit)
        Subscribe.SubscribeAddCreditBytes(builder, 1 << 22)
        return Subscribe.SubscribeEnd(builder)
    return build


def acknowledge(topic, numbers):
    def build(builder):
        name = builder.CreateString(topic)
        Acknowledge.AcknowledgeStartNumbersVector(builder, len(numbers))
        for number in reversed(numbers):
            builder.PrependUint64(number)
        listed = builder.EndVector()
        Acknowledge.AcknowledgeStart(builder)
        Acknowledge.AcknowledgeAddTopic(builder, name)
        Acknowledge.AcknowledgeAddNumbers(builder, listed)
        return Acknowledge.AcknowledgeEnd(builder)
    return build


def question(builder):
    Query.QueryStart(builder)
    Query.QueryAddRequest(builder, 1)
    Query.QueryAddKind(builder, QueryKind.QueryKind.checkpoint)
    return Query.QueryEnd(builder)


def goodbye(builder):
    Goodbye.GoodbyeStart(builder)
    return Goodbye.GoodbyeEnd(builder)


class Session:
    def __init__(self, endpoint):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 1000)
        self.socket.connect(endpoint)
        self.refused, self.waiting = [], collections.deque()

    def say(self, kind, build):
        self.socket.send(frame(kind, build))

    def hear(self, wanted, table):
        """The next frame of this kind; deliveries and refusals on the way are kept."""
        while True:
            if wanted == Body.Body.Deliver and self.waiting:
                return self.waiting.popleft()
            if not self.socket.poll(PATIENCE_MS):
                raise SystemExit("the broker said nothing more")
            got = Frame.Frame.GetRootAs(self.socket.recv(), 0)
            if got.BodyType() == Body.Body.Refuse:
                self.refused.append(body_of(got, Refuse.Refuse).Reason())
            if got.BodyType() == Body.Body.Goodbye:
                raise SystemExit(f"the broker said goodbye: {body_of(got, Goodbye.Goodbye).Reason()}")
            if got.BodyType() == wanted:
                return body_of(got, table)
            if got.BodyType() == Body.Body.Deliver:
                self.waiting.append(body_of(got, Deliver.Deliver))

    def settle(self):
        """Everything said so far has been dealt with."""
        self.say(Body.Body.Query, question)
        self.hear(Body.Body.Answer, Answer.Answer)


def body_of(got, table):
    body = table()
    body.Init(got.Body().Bytes, got.Body().Pos)
    return body


def told(delivery):
    envelope = Envelope.Envelope.GetRootAs(bytes(delivery.Envelope(i) for i in range(delivery.EnvelopeLength())), 0)
    return {"number": delivery.Number(), "attempt": delivery.Attempt(), "id": bytes(envelope.Id(i) for i in range(16)).hex()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("accessors")
    parser.add_argument("endpoint")
    parser.add_argument("topic")
    parser.add_argument("--items", type=int, required=True)
    parser.add_argument("--acknowledge", nargs="*", default=["all"])
    parser.add_argument("--poison", type=int)
    options = parser.parse_args()

    session = Session(options.endpoint)
    session.say(Body.Body.Hello, hello)
    session.hear(Body.Body.Welcome, Hello.Hello)
    session.say(Body.Body.Subscribe, subscribe(options.topic, max(1, options.items)))
    numbers = []
    for _ in range(options.items):
        delivery = told(session.hear(Body.Body.Deliver, Deliver.Deliver))
        print(json.dumps(delivery), flush=True)
        numbers.append(delivery["number"])
        if options.poison == delivery["number"]:
            os.kill(os.getpid(), signal.SIGKILL)
        if options.poison is not None:
            session.say(Body.Body.Acknowledge, acknowledge(options.topic, [delivery["number"]]))
            session.settle()
    if options.poison is None and options.acknowledge != ["none"]:
        named = numbers if options.acknowledge == ["all"] else [int(number) for number in options.acknowledge]
        session.say(Body.Body.Acknowledge, acknowledge(options.topic, named))
    session.settle()
    print(json.dumps({"refused": session.refused}), flush=True)
    session.say(Body.Body.Goodbye, goodbye)


main()
