#!/usr/bin/python3
"""Whoever holds all of the broker's keys shows two histories, one to each agency (T36), or an old one again (T37): the next time an agency meets the history it
was not shown, it raises the alarm, keeps both heads and cosigns nothing; and no head of the second history ever gets the quorum that an auditor insists on."""

import pathlib
import shutil
import signal
import sqlite3
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / folder) for folder in ("support", "interop")]

import second_log  # noqa: E402
from children import CHILDREN, flags  # noqa: E402
from feeding import AUDITOR, FORCE, Feeding, incidents  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import BIN, Failed, main, until  # noqa: E402

CARE = "social-care/E10000024"


class SplitView(Feeding):
    agencies = [FORCE, CARE, AUDITOR]

    def setUp(self):
        super().setUp()
        self.start_broker()
        for agency in self.agencies:
            self.config(agency)
        self.config(CARE, flags_shrink_percent_max="100")  # a list of two loses one
        self.publish("before")
        self.load_flags(CHILDREN[:1])

    def publish(self, name, count=3):
        (self.spool(FORCE) / f"{name}.csv").write_text(incidents(name, range(count)))
        return self.partnership.run("flagpost-police", FORCE, "feed", "--spool", self.spool(FORCE), "--once")

    def load_flags(self, children):
        (self.folder / "flags.csv").write_text(flags(children))
        return self.partnership.run("flagpost-social-care", CARE, "flags", "load", self.folder / "flags.csv")

    def holds_the_broker_to_it(self, agency):
        """The command that published has ended, and has kept a signed head that covers what was confirmed: no daemon has to see one for it."""
        with sqlite3.connect(self.named(agency, ".db"), timeout=30) as box:
            newest = box.execute("SELECT max(leaf) FROM outgoing").fetchone()[0]
        box.close()
        self.assertGreater(int(self.facts(agency)["log-checkpoint"].splitlines()[1]), newest)

    def fork(self):
        """The store, the signer's memory and all keys, as they are now, for later."""
        self.assertEqual(self.stop_broker(), 0)
        shutil.copytree(self.folder / "broker-data", self.folder / "other-data")
        self.start_broker()

    def show_the_other(self):
        self.assertEqual(self.stop_broker(), 0)
        (self.folder / "broker-data").rename(self.folder / "first-data")
        (self.folder / "other-data").rename(self.folder / "broker-data")
        self.start_broker()

    def facts(self, agency):
        with sqlite3.connect(self.named(agency, ".db"), timeout=30) as box:
            found = dict(box.execute("SELECT name, value FROM fact WHERE name LIKE 'log-%'"))
        box.close()
        return {name: value.decode() if isinstance(value, bytes) else value for name, value in found.items()}

    def is_alarmed(self, agency, act):
        """It does nothing, says why, and keeps the head it was shown before."""
        shown = self.facts(agency)["log-checkpoint"]
        with self.assertRaises(Failed) as alarm:
            act()
        self.assertIn("log", str(alarm.exception))
        kept = self.facts(agency)
        evidence = kept["log-evidence"]
        self.assertTrue(evidence.startswith("remembered:\n" + shown + "\nreceived:\n"), evidence)
        received, proof = evidence.split("\nreceived:\n")[1].split("\nproof:\n")
        self.prove_two_histories(shown, received, [second_log.decode(line) for line in proof.split()])
        self.assertEqual(kept["log-checkpoint"], shown, "nothing of the other history was taken for good")

    def prove_two_histories(self, shown, received, proof):
        """As anybody can who has the log's key and no program of ours: both heads are signed, and no one log has both."""
        key = second_log.Key.parse((self.pki / "broker" / "log.vkey").read_text().strip())
        (size, root), (other_size, other_root) = second_log.open_head(shown, key), second_log.open_head(received, key)
        if other_size < size:
            return self.assertEqual(proof, [], "signed later, and shorter")
        if other_size == size:
            return self.assertNotEqual(other_root, root)
        old_root = proof.pop(0) if size & (size - 1) == 0 else root
        before, after = second_log.roots_of_consistency(size, other_size, proof, old_root)
        self.assertEqual(after, other_root, "the other history, of which the proof says")
        self.assertNotEqual(before, root, "that it had another root at this size")

    def witnesses_of_the_newest(self):
        """Verified without any witness, the history looks sound: who has cosigned its newest head?"""
        export = self.folder / f"export-{len(list(self.folder.glob('export-*')))}"
        self.partnership.run("flagpost-audit", AUDITOR, "export", "--public", export)
        self.partnership.call(BIN / "flagpost-audit", "verify", export, "--vkey", self.pki / "broker" / "log.vkey")
        return (export / "checkpoint").read_text()

    def test_two_histories_are_found_by_whoever_meets_the_other(self):
        self.fork()
        self.publish("first")                 # the force is shown the first history
        self.holds_the_broker_to_it(FORCE)
        self.show_the_other()
        self.load_flags(CHILDREN[:2])         # social care the second, which goes on from what it knows
        self.is_alarmed(FORCE, lambda: self.publish("second"))
        newest = self.witnesses_of_the_newest()
        self.assertNotIn("police-31", newest, "the deceived cosigned nothing of it")
        figure("T36", histories=2, found=1, cosigned_by_the_deceived=0)

    def confirmed_under_no_head(self):
        """The force is confirmed something and dies before it has seen a signed head that covers it; the broker's data of just before that is kept."""
        feed = self.feed(FORCE)
        until(lambda: self.connected(FORCE), 30, "the force is connected")
        broker = self.partnership.broker
        broker.send_signal(signal.SIGSTOP)  # else the copy is of no one moment
        shutil.copytree(self.folder / "broker-data", self.folder / "other-data")
        broker.send_signal(signal.SIGCONT)
        confirmed = self.counts(FORCE)[1]
        self.put(FORCE, "first.csv", 3)
        until(lambda: self.counts(FORCE)[1] == confirmed + 3, 30, "they are confirmed")
        feed.kill()
        feed.wait()
        facts = self.facts(FORCE)
        index = int(facts["log-confirm"].split()[0])
        self.assertLessEqual(int(facts["log-checkpoint"].splitlines()[1]), index, "no head that it has seen covers it")
        return index

    def test_what_was_confirmed_under_no_head_yet_is_missed_in_the_history_shown_next(self):
        index = self.confirmed_under_no_head()
        self.show_the_other()
        children = [CHILDREN[:2], CHILDREN[:1]]
        while int(self.facts(CARE)["log-checkpoint"].splitlines()[1]) <= index:  # a history as long, which goes on from all heads that anybody saw
            self.load_flags(children[0])
            children.reverse()
        kept = self.facts(FORCE)
        with self.assertRaisesRegex(Failed, "confirmed"):
            self.publish("second")
        evidence = self.facts(FORCE)["log-evidence"]
        self.assertTrue(evidence.startswith(f"confirmed:\n{kept['log-confirm']}\n"), evidence)
        self.assertIn("remembered:\n", evidence)
        self.assertEqual(self.facts(FORCE)["log-confirm"], kept["log-confirm"])
        figure("T37", confirms_missed=1)

    def test_an_old_history_shown_again_is_found_by_whoever_saw_a_newer_one(self):
        self.fork()
        self.publish("newer")
        self.load_flags(CHILDREN[:2])
        self.holds_the_broker_to_it(FORCE)
        self.holds_the_broker_to_it(CARE)
        self.show_the_other()
        self.is_alarmed(FORCE, lambda: self.publish("again"))
        self.is_alarmed(CARE, lambda: self.load_flags(CHILDREN[:1]))
        newest = self.witnesses_of_the_newest()
        for name in ("police-31", "social-care-E10000024"):
            self.assertNotIn(name, newest)
        figure("T37", rollbacks=1, found_by=2, rollbacks_cosigned=0)


main()
