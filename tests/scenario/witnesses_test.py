#!/usr/bin/python3
"""The agencies are the witnesses: while they are connected they check and cosign the newest head, so that a quorum comes about by itself and outlives the
broker; when it does not come about the operator is told; whoever published something, or was told it, takes home a proof of that entry, which a policy accepts
offline, and nobody else's."""

import json
import pathlib
import signal
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from feeding import AUDITOR, FORCE, Feeding  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import BIN, Failed, free_port, main, until  # noqa: E402

CARE, SCHOOL, DUTY = "social-care/E10000024", "school/900001", "operator/duty"
ABSENT = "police/12"  # never connects; an operator who asks how things stand cosigns too
QUORUM_S = 90  # a few heartbeats, on a busy machine


class Witnesses(Feeding):
    agencies = [FORCE, CARE, SCHOOL, AUDITOR, DUTY, ABSENT]

    def setUp(self):
        super().setUp()
        self.start_broker()
        for agency in self.agencies:
            self.config(agency)

    def vkey(self, agency):
        return (self.pki / agency.replace("/", "-") / "witness.vkey").read_text().strip()

    def policy(self, name, *witnesses):
        """All of these must have cosigned."""
        file = self.folder / name
        lines = [f"log {(self.pki / 'broker' / 'log.vkey').read_text().strip()}"]
        lines += [f"witness w{number} {self.vkey(agency)}" for number, agency in enumerate(witnesses)]
        file.write_text("\n".join([*lines, f"group all all {' '.join(f'w{n}' for n in range(len(witnesses)))}", "quorum all"]) + "\n")
        return file

    def status(self):
        return self.partnership.json("flagpost-broker", DUTY, "status")

    def audit(self, *arguments):
        return self.partnership.call(BIN / "flagpost-audit", *arguments)

    def test_a_quorum_comes_about_while_agencies_are_connected_and_proofs_rest_on_it(self):
        p = self.partnership
        self.feed(FORCE)
        p.start("flagpost-social-care", CARE, "run")
        p.start("flagpost-school", SCHOOL, "run")
        self.put(FORCE, "day.csv", 20)
        self.all_are_confirmed(FORCE, 20)
        fed = until(lambda: (size := self.status()["log_size"]) > 20 and size, 30, "a head covers what was fed")
        reached = until(lambda: (said := self.status())["cosigned_size"] >= fed and said, QUORUM_S, "a quorum has cosigned what was fed")
        self.assertEqual(reached["witness_quorum"], 2)
        self.assertGreaterEqual(len(reached["cosigned_by"]), 2)

        # An export that insists on all three daemons, and one that insists on somebody who is not there.
        export, policy = self.folder / "export", self.policy("policy.txt", FORCE, CARE, SCHOOL)
        p.run("flagpost-audit", AUDITOR, "export", "--public", export, "--policy", policy)
        self.assertIn("verified: ", self.audit("verify", export, "--policy", policy))
        with self.assertRaises(Failed):
            self.audit("verify", export, "--policy", self.policy("another.txt", FORCE, ABSENT))

        self.each_takes_home_its_own(export)
        self.it_outlives_the_broker(self.status()["cosigned_size"])
        figure("witnesses", quorum=reached["witness_quorum"], cosigned_by=len(reached["cosigned_by"]), cosigned_size=reached["cosigned_size"])

    def test_a_quorum_that_is_late_is_an_alarm_until_the_witness_is_back(self):
        p, address = self.partnership, f"127.0.0.1:{free_port()}"
        self.assertEqual(self.stop_broker(), 0)
        p.broker_more = f'[management]\nlisten = "{address}"\n'
        self.start_broker()

        def alarm():
            with urllib.request.urlopen(f"http://{address}/status.json", timeout=30) as answer:
                return {each["code"]: each for each in json.load(answer)["alarms"]}.get("quorum_late")
        self.feed(FORCE)
        care = p.start("flagpost-social-care", CARE, "run")
        self.put(FORCE, "day.csv", 5)
        self.all_are_confirmed(FORCE, 5)
        until(lambda: "witnesses" not in self.broker_log() and self.connected(CARE) and self.connected(FORCE), 30, "both are here")
        self.assertIsNone(alarm())

        care.send_signal(signal.SIGSTOP)  # of two that have to cosign, one stands still
        self.addCleanup(care.send_signal, signal.SIGCONT)
        self.put(FORCE, "more.csv", 5)
        self.all_are_confirmed(FORCE, 10)
        late = until(alarm, 60 + QUORUM_S, "the quorum is late")
        self.assertEqual((late["owner"], late["urgency"]), (DUTY, "soon"))
        self.assertRegex(late["what"], r"^Too few agencies have cosigned the log for \d+ (seconds|minutes?)$")
        self.assertIn("See which agencies are not connected", late["to_do"])
        said = p.run("flagpost-broker", DUTY, "status")
        self.assertIn("Too few agencies have cosigned the log", said)
        self.assertIn("See which agencies are not connected", said)
        self.assertIn("alarm quorum_late", self.broker_log())
        self.assertNotIn("alarm quorum_late  is over", self.broker_log())

        care.send_signal(signal.SIGCONT)
        until(lambda: alarm() is None, QUORUM_S, "it is over")
        self.assertIn("alarm quorum_late  is over", self.broker_log())

    def each_takes_home_its_own(self, export):
        p = self.partnership
        published = next(leaf["index"] for leaf in self.leaves() if leaf["kind"] == "published" and leaf["topic"] == "incidents/31")
        proof, leaf = self.folder / "mine.tlog-proof", self.folder / "mine.leaf"
        two = self.policy("two.txt", FORCE, CARE)

        def proven():  # under a head of two cosigners, which on a busy machine are others for a while
            p.run("flagpost-police", FORCE, "proof", published, "--out", proof, "--leaf", leaf, "--cosigned", 2)
            try:
                return self.audit("check", proof, leaf, "--policy", two)
            except Failed as failed:
                self.assertIn("the witnesses do not make the quorum", str(failed))
        self.assertIn(f"entry {published}", until(proven, QUORUM_S, "a head that these two have cosigned covers it"))
        spoilt = self.folder / "spoilt.leaf"
        spoilt.write_bytes(leaf.read_bytes()[:-1] + b"\xff")
        with self.assertRaisesRegex(Failed, "NOT PROVEN"):
            self.audit("check", proof, spoilt, "--policy", two)
        with self.assertRaises(Failed) as refused:
            p.run("flagpost-social-care", CARE, "proof", published, "--out", self.folder / "no", "--leaf", self.folder / "no.leaf")
        self.assertIn("not_found", str(refused.exception))
        self.assertFalse((self.folder / "no").exists())

    def it_outlives_the_broker(self, cosigned):
        """The quorum's head is kept with the next commit or in the next idle moment."""
        kept = until(lambda: self.status()["cosigned_size"] >= cosigned and self.status()["cosigned_size"], QUORUM_S, "it is kept")
        self.kill_broker()
        for daemon in self.partnership.daemons:
            daemon.terminate()
        self.start_broker()
        self.assertGreaterEqual(self.status()["cosigned_size"], min(kept, cosigned))


main()
