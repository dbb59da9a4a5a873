#!/usr/bin/python3
"""The agencies are the witnesses: while they are connected they check and cosign the newest head, so that a quorum comes about by itself and outlives the
broker; whoever published something, or was told it, takes home a proof of that entry, which a policy accepts offline, and nobody else's."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from feeding import AUDITOR, FORCE, Feeding  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import BIN, Failed, main, until  # noqa: E402

CARE, SCHOOL, DUTY = "social-care/E10000024", "school/900001", "operator/duty"
QUORUM_S = 90  # a few heartbeats, on a busy machine


class Witnesses(Feeding):
    agencies = [FORCE, CARE, SCHOOL, AUDITOR, DUTY]

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
        fed = self.status()["log_size"]
        reached = until(lambda: (said := self.status())["cosigned_size"] >= fed and said, QUORUM_S, "a quorum has cosigned what was fed")
        self.assertEqual(reached["witness_quorum"], 2)
        self.assertGreaterEqual(len(reached["cosigned_by"]), 2)

        # An export that insists on all three daemons, and one that insists on somebody who is not there.
        export, policy = self.folder / "export", self.policy("policy.txt", FORCE, CARE, SCHOOL)
        p.run("flagpost-audit", AUDITOR, "export", "--public", export, "--policy", policy)
        self.assertIn("verified: ", self.audit("verify", export, "--policy", policy))
        with self.assertRaises(Failed):
            self.audit("verify", export, "--policy", self.policy("another.txt", FORCE, DUTY))

        self.each_takes_home_its_own(export, policy)
        self.it_outlives_the_broker(self.status()["cosigned_size"])
        figure("witnesses", quorum=reached["witness_quorum"], cosigned_by=len(reached["cosigned_by"]), cosigned_size=reached["cosigned_size"])

    def each_takes_home_its_own(self, export, policy):
        p = self.partnership
        published = next(leaf["index"] for leaf in self.leaves() if leaf["kind"] == "published" and leaf["topic"] == "incidents/31")
        proof, leaf = self.folder / "mine.tlog-proof", self.folder / "mine.leaf"
        p.run("flagpost-police", FORCE, "proof", published, "--out", proof, "--leaf", leaf, "--cosigned", 2)
        self.assertIn(f"entry {published}", self.audit("check", proof, leaf, "--policy", self.policy("two.txt", FORCE, CARE)))
        spoilt = self.folder / "spoilt.leaf"
        spoilt.write_bytes(leaf.read_bytes()[:-1] + b"\xff")
        with self.assertRaises(Failed):
            self.audit("check", proof, spoilt, "--policy", policy)
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
