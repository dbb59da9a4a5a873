"""Between an adapter and its broker: passes bytes on, counts them, and cuts the connection after exactly so many.

    proxy = Cutting(broker_port)
    proxy.port                      # where the adapter is to connect
    proxy.cut_after(UP, 17)         # the 17th byte from now towards the broker is the last that arrives
"""

import select
import socket
import struct
import threading

UP, DOWN = 0, 1  # towards the broker, towards the adapter


class Cutting:
    def __init__(self, broker_port):
        self.broker_port, self.lock = broker_port, threading.Lock()
        self.passed, self.left, self.cuts = [0, 0], [None, None], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.wake, self.stop = socket.socketpair()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def close(self):
        self.stop.close()
        self.thread.join()
        self.listener.close()
        self.wake.close()

    def cut_after(self, way, count):
        with self.lock:
            self.left[way] = count

    def counted(self):
        with self.lock:
            return tuple(self.passed)

    def run(self):
        pairs = {}
        while True:
            readable, _, _ = select.select([self.wake, self.listener, *pairs], [], [])
            if self.wake in readable:
                break
            for source in readable:
                if source is self.listener:
                    self.accept(pairs)
                elif source in pairs and not self.pass_on(source, pairs):
                    other = pairs[source][1]
                    for end in (source, other):
                        del pairs[end]
                        end.close()
        for end in pairs:
            end.close()

    def accept(self, pairs):
        adapter, _ = self.listener.accept()
        try:
            broker = socket.create_connection(("127.0.0.1", self.broker_port))
        except OSError:
            return adapter.close()
        for end in (adapter, broker):  # what arrives is sent at once, and what is cut is gone at once
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pairs[adapter], pairs[broker] = (UP, broker), (DOWN, adapter)

    def pass_on(self, source, pairs):
        """Whether the connection goes on."""
        way, to = pairs[source]
        try:
            content = source.recv(65536)
            with self.lock:
                cut = self.left[way] is not None and self.left[way] <= len(content)
                if cut:
                    content, self.left[way] = content[:self.left[way]], None
                elif self.left[way] is not None:
                    self.left[way] -= len(content)
                self.passed[way] += len(content)
                self.cuts += cut
            if content:
                to.sendall(content)
        except OSError:
            return False
        if cut:  # towards where the bytes came from: a reset, as from a middlebox that forgot the connection
            source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return bool(content) and not cut
