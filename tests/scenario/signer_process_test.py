#!/usr/bin/python3
"""The signer as a process of its own: the log's key lives only there, its death makes heads late and nothing else, and it signs no head that contradicts what
it signed before, whatever store it is shown."""

import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from feeding import AUDITOR, FORCE, Feeding, incidents  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import Failed, main, until  # noqa: E402


class SignerProcess(Feeding):
    agencies = [FORCE, AUDITOR]

    def setUp(self):
        super().setUp()
        self.keys = self.folder / "signer-keys"
        self.keys.mkdir(mode=0o700)
        (self.pki / "broker" / "log.key").rename(self.keys / "log.key")  # the broker has it no more
        (self.folder / "run").mkdir(mode=0o750)
        socket = f'[signer]\nsocket = "{self.folder}/run/signer"\n'
        (self.folder / "signer.toml").write_text(f'state = "signer-state/last-head"\n{socket}[keys]\nlog_key = "{self.keys}/log.key"\n'
                                                 f'log_vkey = "{self.pki}/broker/log.vkey"\n')
        self.partnership.broker_more = socket
        self.start_signer()
        self.start_broker()
        for agency in self.agencies:
            self.config(agency)

    def signed_size(self):
        kept = self.folder / "signer-state" / "last-head"
        return int(kept.read_text().splitlines()[1]) if kept.exists() else 0

    def publish(self, name, count=5):
        (self.spool(FORCE) / f"{name}.csv").write_text(incidents(name, range(count)))
        self.partnership.run("flagpost-police", FORCE, "feed", "--spool", self.spool(FORCE), "--once")

    def test_heads_come_late_while_it_is_dead_and_nothing_else_does(self):
        self.publish("before")
        until(lambda: self.signed_size() > 5, 30, "heads are signed")
        for round_ in range(3):
            self.signer.kill()
            self.signer.wait()
            before = self.signed_size()
            self.publish(f"round-{round_}")
            until(lambda: "heads of the log are late" in self.broker_log(), 30, "the operator is told")
            self.assertEqual(self.signed_size(), before)
            self.start_signer()
            until(lambda: self.signed_size() >= before + 5, 30, "it signs again")
        self.assertIn("the signer signs again", self.broker_log())
        published = [leaf for leaf in self.leaves() if leaf["kind"] == "published"]  # by an export that verifies
        self.assertEqual(len(published), 20)
        figure("signer", deaths=3, published=len(published))

    def test_it_signs_no_other_history(self):
        self.publish("first")
        self.assertEqual(self.stop_broker(), 0)
        shutil.copytree(self.folder / "broker-data", self.folder / "older")
        self.start_broker()
        self.publish("second")
        self.assertEqual(self.stop_broker(), 0)
        signed = self.signed_size()
        shutil.rmtree(self.folder / "broker-data")
        (self.folder / "older").rename(self.folder / "broker-data")
        with self.assertRaises(Failed):
            self.start_broker()
        self.assertIn("this is an older copy of the store", self.broker_log())
        self.assertEqual(self.signed_size(), signed)

    def test_a_broker_without_it_does_not_start_and_says_why(self):
        self.assertEqual(self.stop_broker(), 0)
        self.signer.terminate()
        self.assertEqual(self.signer.wait(20), 0)
        with self.assertRaises(Failed):
            self.start_broker()
        self.assertIn("no signer at", self.broker_log())


main()
