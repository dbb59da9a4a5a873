#!/usr/bin/python3
"""What an adapter's connection may and may not make its people believe."""

import json
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from flagpost import BIN, SOURCE, Failed, Scenario, free_port, main, until  # noqa: E402

HEADER = "reference,version,status,occurred,recorded,category,domestic_abuse,line_1,town,postcode,people,circumstances\n"
POLICE, FORCE = "flagpost-police", "police/31"


def incidents(count, prefix):
    rows = [f"{prefix}-{n},1,open,2025-03-04T21:10:00Z,2025-03-04T21:30:00Z,Domestic,yes,{n} Oak Road,Worksop,S80 1AB,[],Shouting heard\n"
            for n in range(count)]
    return HEADER + "".join(rows)


class AdapterConnection(Scenario):
    agencies = [FORCE, "police/12", "school/122802"]

    def setUp(self):
        super().setUp()
        self.spool = self.folder / "spool"
        self.spool.mkdir()

    def put(self, name, text):
        """Into the spool whole, as the files must come."""
        (self.folder / name).write_text(text)
        (self.folder / name).rename(self.spool / name)

    def feed(self):
        return self.partnership.start(POLICE, FORCE, "feed", "--spool", str(self.spool))

    def status(self):
        return self.partnership.json(POLICE, FORCE, "status")

    def counts(self):
        status = self.status()
        return tuple(status[key] for key in ("waiting", "confirmed", "refused"))

    def said(self):
        return (self.folder / "police-31.log").read_text()

    def run_briefly(self, port):
        """The adapter against whoever listens there, until it has said what it thinks of them."""
        self.partnership.port = port
        self.partnership.config(FORCE)
        self.put("day.csv", incidents(3, "NP"))
        self.feed()
        until(lambda: "no connection to the broker: " in self.said(), 20, "the adapter says why it has no connection")
        until(lambda: self.counts()[0] == 3, 20, "the file is in the outbox")
        time.sleep(0.5)
        self.assertEqual(self.counts(), (3, 0, 0))
        return self.said()

    def impostor(self, folder, listen="127.0.0.1"):
        """A TLS server with the certificate of that folder, in the broker's place."""
        port = free_port()
        server = subprocess.Popen(["openssl", "s_server", "-accept", f"{listen}:{port}", "-cert", folder / "tls.crt", "-key", folder / "tls.key",
                                   "-CAfile", self.pki / "ca.crt", "-Verify", "2", "-tls1_3", "-quiet"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        return port

    def test_what_was_put_in_while_the_broker_is_killed_again_and_again_is_recorded_once(self):
        self.start_broker()
        self.partnership.config(FORCE)
        self.feed()
        for round_ in range(4):
            self.put(f"part{round_}.csv", incidents(400, f"R{round_}"))
            until(lambda: self.counts()[1] > round_ * 400, 30, "some are confirmed")
            self.kill_broker()
            self.start_broker()
        until(lambda: self.counts() == (0, 1600, 0), 60, "all are confirmed")
        self.partnership.close()
        check = self.partnership.call(BIN / "flagpost-broker", "check", "--config", self.folder / "broker.toml", "--json")
        self.assertTrue(json.loads(check)["sound"])

    def test_a_broker_with_a_school_s_certificate_is_told_nothing(self):
        said = self.run_briefly(self.impostor(self.identity("school/122802")))
        self.assertIn("not valid", said)

    def test_a_certificate_for_another_host_is_told_nothing(self):
        port = self.impostor(self.pki / "broker", listen="127.0.0.2")
        config = self.partnership.config
        self.partnership.config = lambda agency: self.rewrite(config(agency), "localhost:", "127.0.0.2:")
        self.assertIn("not valid", self.run_briefly(port))

    @staticmethod
    def rewrite(path, old, new):
        path.write_text(path.read_text().replace(old, new))
        return path

    def test_who_is_revoked_is_refused_and_nothing_looks_sent(self):
        self.partnership.call(SOURCE / "certs" / "make-dev-pki", "--out", self.pki, "--revoke", FORCE)
        self.run_briefly(self.start_broker())

    def test_what_the_broker_refuses_for_good_is_told_by_the_exit_code_too(self):
        self.start_broker()
        shutil.copy(self.identity("police/12") / "origin.key", self.identity(FORCE) / "origin.key")
        self.partnership.config(FORCE)
        self.put("day.csv", incidents(3, "NP"))
        with self.assertRaisesRegex(Failed, "ended with 1(.|\n)*3 incidents were refused by the broker"):
            self.partnership.run(POLICE, FORCE, "feed", "--spool", str(self.spool), "--once")
        self.assertEqual(self.counts(), (0, 0, 3))
        self.assertEqual({refusal["reason"] for refusal in self.status()["refusals"]}, {"bad_signature"})

    def test_a_broker_that_shows_another_history_is_told_nothing_more(self):
        for day in ("monday.csv", "tuesday.csv"):  # on the second, the adapter sees the head of the first
            self.start_broker()
            self.partnership.config(FORCE)
            self.put(day, incidents(5, day))
            self.partnership.run(POLICE, FORCE, "feed", "--spool", str(self.spool), "--once")
            self.stop_broker()
        self.assertEqual(self.counts(), (0, 10, 0))

        shutil.rmtree(self.folder / "broker-data")  # the same keys, another log
        self.start_broker()
        self.put("wednesday.csv", incidents(1, "NQ"))
        adapter = self.feed()
        self.assertNotEqual(adapter.wait(30), 0)
        self.assertIn("denies the log head", self.said())
        self.assertEqual(self.counts()[1], 10)


main()
