#!/usr/bin/python3
"""Any ZeroMQ binding behind any TLS tunnel is a client: python3-zmq behind stunnel4, both as Debian ships them."""

import json
import pathlib
import signal
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from flagpost import SOURCE, Failed, Scenario, free_port, main, until  # noqa: E402

STUNNEL = """
foreground = yes
pid =
syslog = no
debug = warning
[broker]
client = yes
accept = 127.0.0.1:{listen}
connect = 127.0.0.1:{broker}
cert = {identity}/tls.crt
key = {identity}/tls.key
CAfile = {pki}/ca.crt
verifyChain = yes
checkHost = localhost
sslVersionMin = TLSv1.3
"""


def can_connect(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class StockClient(Scenario):
    agencies = ["police/31", "police/12"]

    def setUp(self):
        super().setUp()
        self.accessors = self.folder / "accessors"
        schemas = sorted((SOURCE / "schemas").glob("*.fbs"))
        self.partnership.call("flatc", "--python", "-o", self.accessors, *schemas)
        self.port = self.start_broker()

    def tunnel(self, identity):
        """A stunnel to the broker with this identity; returns the port it listens on."""
        listen = free_port()
        config = self.folder / f"stunnel-{listen}.conf"
        config.write_text(STUNNEL.format(listen=listen, broker=self.port, identity=identity, pki=self.pki))
        with open(self.folder / "stunnel.log", "ab") as log:
            process = subprocess.Popen(["stunnel4", config], stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.send_signal, signal.SIGTERM)
        until(lambda: can_connect(listen), 10, "stunnel listens")
        return listen

    def stock_client(self, tunnel_identity, origin_identity):
        listen = self.tunnel(tunnel_identity)
        client = pathlib.Path(__file__).with_name("stock_client.py")
        return self.partnership.call("/usr/bin/python3", client, self.accessors, f"tcp://127.0.0.1:{listen}", origin_identity,
                                     self.pki / "broker" / "log.vkey", wait_s=60)

    def test_it_publishes_an_incident_and_verifies_that_the_log_holds_it(self):
        force = self.identity("police/31")
        told = json.loads(self.stock_client(force, force))
        self.assertEqual(told["agency"], "police/31")
        self.assertLess(told["index"], told["size"])

    def test_another_force_may_not_publish_in_its_place(self):
        with self.assertRaisesRegex(Failed, "reason 5 "):  # not_permitted
            self.stock_client(self.identity("police/12"), self.identity("police/12"))

    def test_what_another_force_signed_is_not_taken_from_it(self):
        with self.assertRaisesRegex(Failed, "reason 6 "):  # bad_signature
            self.stock_client(self.identity("police/31"), self.identity("police/12"))


main()
