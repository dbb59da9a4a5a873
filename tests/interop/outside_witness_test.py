#!/usr/bin/python3
"""A witness outside the partnership cosigns what an auditor carries to it, and what it has seen otherwise is an alarm."""

import pathlib
import re
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import second_log  # noqa: E402
from client import Client  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import BIN, Failed, Scenario, main, until  # noqa: E402
from outside_witness import OutsideWitness  # noqa: E402

AUDITOR, BENCH = "auditor/audit-office", "bench/1"


class Outside(Scenario):
    agencies = [AUDITOR, BENCH]

    def setUp(self):
        super().setUp()
        self.vkey = (self.pki / "broker" / "log.vkey").read_text().strip()
        self.origin = self.vkey.split("+")[0]
        self.witness = OutsideWitness(self.folder, [self.vkey])
        self.addCleanup(self.witness.server.server_close)
        self.key_file = self.folder / "outside.vkey"
        self.key_file.write_text(self.witness.key.text() + "\n")
        (self.identity(AUDITOR) / "witness.key").unlink()  # so that the only cosignature can be the outside one
        self.enrol(self.witness.key.text())
        self.start_broker()
        self.partnership.config(AUDITOR)

    def enrol(self, vkey):
        """As an operator does: a row of its own, for the days the auditor's holds."""
        file = self.pki / "parties.toml"
        days = re.findall(r'^(?:from|to) = "[^"]*"$', file.read_text(), re.MULTILINE)[:2]
        row = "\n".join(["", "[[witness]]", f'vkey = "{vkey}"', *days, ""])
        file.write_text("quorum = 1\n" + file.read_text() + row)

    def grow_beyond(self, size):
        """Something happens, and the broker shows its witnesses a head that has it."""
        client = Client(self, BENCH)
        client.publish(BENCH, b"one more")
        for name, body in client.heard(time.monotonic() + 60):
            head = body.Checkpoint() if name == "Heartbeat" else None
            if head and int(head.decode().split("\n")[1]) > size:
                return client.close()
        self.fail(f"no head beyond {size} is shown")

    def carry(self, *more):
        return self.partnership.run("flagpost-audit", AUDITOR, "carry", "--witness", self.witness.url, "--witness-key", self.key_file, *more)

    def carry_fails(self):
        with self.assertRaises(Failed) as failed:
            self.carry()
        return str(failed.exception)

    def cosigned_export(self):
        """What the auditor's program says of an export, under a policy that insists on the outside witness."""
        policy, export = self.folder / "policy.txt", self.folder / "export"
        policy.write_text(f"log {self.vkey}\nwitness outside {self.witness.key.text()}\nquorum outside\n")
        self.partnership.run("flagpost-audit", AUDITOR, "export", "--public", export, "--policy", policy)
        return self.partnership.call(BIN / "flagpost-audit", "verify", export, "--policy", policy)

    def test_it_cosigns_head_after_head_and_a_verifier_that_insists_on_it_is_content(self):
        with self.witness:
            sizes = []
            for _ in range(3):  # each a new process, which does not know what the witness saw last
                self.grow_beyond(sizes[-1] if sizes else 0)
                said = re.search("^cosigned: ([0-9]+) entries", self.carry(), re.MULTILINE)
                self.assertTrue(said)
                sizes.append(int(said[1]))
            self.assertEqual(sizes, sorted(set(sizes)))
            # The first is new to it; of each other it says from where (409), and then cosigns.
            self.assertEqual(self.witness.answered, [200, 409, 200, 409, 200])
            self.assertIn("1 of 1 known witness cosigned this head", self.cosigned_export())

    def test_a_witness_that_is_away_is_asked_again_and_the_log_goes_on(self):
        said = self.folder / "auditor-audit-office.log"
        self.witness.server.server_close()
        daemon = self.partnership.start("flagpost-audit", AUDITOR, "carry", "--witness", self.witness.url, "--witness-key", self.key_file,
                                        "--every", "1")
        until(lambda: "not cosigned: witness: not reached" in said.read_text(), 60, "the witness is found away")
        with OutsideWitness(self.folder, [self.vkey], port=self.witness.port) as back:
            until(lambda: "cosigned: " in said.read_text().replace("not cosigned: ", ""), 60, "the witness is asked again")
            until(lambda: 200 in back.answered, 60, "it cosigns")
        self.assertIsNone(daemon.poll())

    def test_a_broker_that_is_away_for_longer_than_an_answer_may_take_is_asked_again(self):
        said = self.folder / "auditor-audit-office.log"
        with self.witness:
            daemon = self.partnership.start("flagpost-audit", AUDITOR, "carry", "--witness", self.witness.url, "--witness-key", self.key_file,
                                            "--every", "1")
            until(lambda: said.read_text().startswith("cosigned: "), 60, "it carries")
            self.stop_broker()
            until(lambda: "not cosigned: the broker did not answer in time" in said.read_text(), 90, "the broker is found away")
            self.assertIsNone(daemon.poll())
            before = len(self.witness.answered)
            self.start_broker()
            until(lambda: 200 in self.witness.answered[before:], 60, "it carries again")
        self.assertIsNone(daemon.poll())

    def test_another_history_or_a_rollback_is_an_alarm_with_evidence_and_holds_until_somebody_has_looked(self):
        alarms = 0
        for why, size, says in [("split view", 1, "no continuation of the one it saw last"), ("rollback", 10**6, "has seen 1000000 entries")]:
            with self.subTest(why):
                witness = self.witness = OutsideWitness(self.folder, [self.vkey])
                witness.remember(self.origin, size, bytes([1] * 32))
                with witness:
                    said = self.carry_fails()
                    self.assertIn("ALARM: ", said)
                    self.assertIn(says, said)
                    file = pathlib.Path(re.search(r"the evidence is in (\S+)", said).group(1))
                    evidence = file.read_text()
                    self.assertIn(self.origin, evidence)
                    self.assertIn("answered, status ", evidence)
                    self.assertEqual(witness.heads[self.origin][0], size, "it has cosigned nothing")
                    self.assertNotIn(200, witness.answered)
                    asked = len(witness.answered)
                    self.assertIn("nothing is carried: ", self.carry_fails())
                    self.assertEqual(len(witness.answered), asked)
                    file.unlink()
                    alarms += 1
        figure("T36", outside_witness_alarms=alarms, cosigned_by_it=0)

    def test_a_witness_that_lies_or_knows_us_not_is_believed_nothing(self):
        other = second_log.Signer("outside.example/w1", second_log.COSIGNATURE, bytes([8] * 32))
        rows = [("another key under its name", lambda line: other.line(other.blob("x\n", 1)), "missing or does not hold"),
                ("nothing at all", lambda line: "", "no signature lines"),
                ("a book", lambda line: line * 10_000, "not reached"),
                ("a line that fails", lambda line: line[:-9] + ("A" if line[-9] != "A" else "B") + line[-8:], "missing or does not hold")]
        with self.witness:
            for why, lines, says in rows:
                with self.subTest(why):
                    self.witness.lines = lines
                    self.assertIn(says, self.carry_fails())
            self.witness.lines = lambda line: line
            self.witness.logs = {}
            self.assertIn("does not know this log", self.carry_fails())
        with self.assertRaises(Failed) as failed:
            self.cosigned_export()
        self.assertIn("no head that the policy accepts", str(failed.exception))

    def test_the_broker_takes_no_cosignature_of_a_witness_nobody_enrolled(self):
        stranger = OutsideWitness(self.folder, [self.vkey], name="stranger.example", seed=bytes([7] * 32))
        self.key_file.write_text(stranger.key.text() + "\n")
        self.witness = stranger
        with stranger:
            self.assertIn("not cosigned: the broker refused: bad_signature", self.carry_fails())


main()
