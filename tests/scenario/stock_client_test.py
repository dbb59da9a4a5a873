#!/usr/bin/python3
"""Any ZeroMQ binding behind any TLS tunnel is a client: python3-zmq behind stunnel4, both as Debian ships them."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from flagpost import Failed, main  # noqa: E402
from stock import StockScenario  # noqa: E402

class StockClient(StockScenario):
    agencies = ["police/31", "police/12"]

    def setUp(self):
        super().setUp()
        self.start_broker()

    def stock_client(self, tunnel_identity, origin_identity):
        endpoint = self.tunnel(tunnel_identity)
        client = pathlib.Path(__file__).with_name("stock_client.py")
        return self.partnership.call("/usr/bin/python3", client, self.accessors(), endpoint, origin_identity,
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
