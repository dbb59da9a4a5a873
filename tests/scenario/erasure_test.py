#!/usr/bin/python3
"""A record goes by an order of the agency whose it is, or by time, unless a hold keeps it; and it stays gone: through kill -9, and when
an older copy of the store is put back. An auditor finds each body that is missing named by an entry that says it was erased."""

import json
import pathlib
import shutil
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import children  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import BIN, Failed, Scenario, main_side_by_side, until  # noqa: E402

FORCE, DUTY, AUDITOR, CARE, SCHOOL = "police/31", "operator/duty", "auditor/audit-office", "social-care/E10000024", "school/900001"
FIRST, SECOND = "flag/E10000024/C0", "flag/E10000024/C1"
ORDER = ("--by", "J. Worker", "--reason", "court_order", "--reference")


RETENTION = """
[[retention]]
id = "RET-F"
class = "flag"
controller = "social-care"
keep = "1m"
"""


class Erasure(Scenario):
    agencies = [FORCE, DUTY, AUDITOR, CARE, SCHOOL]

    def begin(self, more=""):
        agreement = self.folder / "agreement.toml"
        agreement.write_text(agreement.read_text() + more)
        self.start_broker()
        for agency in self.agencies:
            self.partnership.config(agency)
        self.partnership.config(CARE, flags_shrink_percent_max="100")  # lists of three lose two

    @property
    def data(self):
        return self.folder / "broker-data"

    def load_flags(self, *numbers):
        """A full list: whoever is not in it is not flagged any more."""
        header, *rows = children.flags(children.CHILDREN).splitlines(keepends=True)
        file = self.folder / "flags.csv"
        file.write_text(header + "".join(rows[number] for number in numbers))
        self.partnership.run("flagpost-social-care", CARE, "flags", "load", file)

    def care(self, *command, reference="CO-17"):
        return self.partnership.run("flagpost-social-care", CARE, *command, *ORDER, reference)

    def duty(self, *command, reference="INQ-4"):
        return self.partnership.run("flagpost-broker", DUTY, *command, *ORDER, reference)

    def bodies(self):
        """{leaf: ciphertext} of what the file holds, by the file itself."""
        with sqlite3.connect(f"file:{self.data / 'flagpost.db'}?mode=ro", uri=True) as rows:
            return dict(rows.execute("SELECT idx, body FROM entry WHERE body IS NOT NULL"))

    def recoverable(self, bodies):
        """How many of these can still be found in the files, by any part of them."""
        raw = b"".join(path.read_bytes() for path in self.data.glob("flagpost.db*"))
        return sum(body[:24] in raw or body[-24:] in raw for body in bodies)

    def put_back(self, backup):
        """The store of that day, with the end of it that stands in its write-ahead log. The list of erasures stays today's."""
        for name in ("flagpost.db", "flagpost.db-wal", "flagpost.db-shm"):
            (self.data / name).unlink(missing_ok=True)
            if name != "flagpost.db-shm" and (backup / name).exists():
                shutil.copy(backup / name, self.data)

    def sealed(self, name):
        """What verify says of an export with bodies, and the entries of erasures in it."""
        export, vkey = self.folder / name, self.pki / "broker" / "log.vkey"
        self.partnership.sealed_export(AUDITOR, export)
        said = json.loads(self.partnership.call(BIN / "flagpost-audit", "verify", export, "--vkey", vkey, "--json"))
        lines = self.partnership.call(BIN / "flagpost-audit", "replay", export, "--json").splitlines()
        return said, [leaf for leaf in map(json.loads, lines) if leaf["kind"] == "erased"]

    def test_what_is_erased_stays_gone_through_kill_and_restore_and_is_accounted_for(self):
        self.begin()
        p, backup = self.partnership, self.folder / "backup"
        self.load_flags(0, 1)
        with self.assertRaisesRegex(Failed, "in_use, order: entry [0-9]+: it stands in the register"):
            self.care("erase", FIRST)
        self.load_flags(1)
        with self.assertRaisesRegex(Failed, "not_found, order.subject"):
            p.run("flagpost-school", SCHOOL, "erase", FIRST, *ORDER, "CO-17")

        self.duty("hold", FIRST)
        self.kill_broker()  # a hold is on disk before it is confirmed
        self.start_broker()
        with self.assertRaisesRegex(Failed, "on_hold, order: on hold, INQ-4"):
            self.care("erase", FIRST)
        self.duty("lift-hold", FIRST)

        self.assertEqual(self.stop_broker(), 0)
        shutil.copytree(self.data, backup)
        before = self.bodies()
        self.start_broker()
        self.care("erase", FIRST)
        self.kill_broker()  # confirmed, and perhaps not yet out of the WAL nor on the list
        self.start_broker()
        gone = [before[index] for index in before.keys() - self.bodies().keys()]
        self.assertEqual(len(gone), 2, "the flag as it stood, and its end")
        self.assertEqual(self.recoverable(gone), 0)
        said, erased = self.sealed("after-the-order")
        self.assertTrue(said["verified"])
        ordered = [leaf for leaf in erased if leaf["rule"] == "order"]
        self.assertEqual([(leaf["outcome"], leaf["purpose"], leaf["recipient"]) for leaf in ordered], [("court_order", "CO-17", CARE)])
        # Two lists came in two messages each, which their results destroyed.
        self.assertEqual(said["bodies_erased"], sum(leaf["candidates"] for leaf in erased) + 4, "each by the entry that says so")
        with self.assertRaisesRegex(Failed, "not_found, order.subject"):
            self.care("erase", FIRST)
        self.assertEqual(self.stop_broker(), 0)

        # An older copy put back: refused, as it lacks what a head covers, and yet what was erased since is gone from it.
        self.put_back(backup)
        self.assertEqual(self.recoverable(gone), 2, "or this test tests nothing")
        with self.assertRaisesRegex(Failed, "older copy"):
            self.start_broker()
        self.assertEqual(self.recoverable(gone), 0)

        # The partnership decides to go on from it, as nothing newer is left: the signer is given the head of that day.
        self.put_back(backup)
        shutil.copy(backup / "signed-head", self.data)
        self.start_broker()
        self.assertEqual(self.recoverable(gone), 0)
        p.call(BIN / "flagpost-broker", "check", "--config", self.folder / "broker.toml")
        with self.assertRaises(Failed):  # what the auditor remembers contradicts it, as it must
            self.sealed("after-the-order")
        for file in self.folder.glob("auditor-audit-office.db*"):
            file.unlink()
        said, erased = self.sealed("after-the-restore")
        self.assertTrue(said["verified"])
        self.assertEqual([leaf["candidates"] for leaf in erased if leaf["outcome"] == "restored"], [len(gone)])
        self.assertEqual(said["bodies_erased"], sum(leaf["candidates"] for leaf in erased) + 4)
        figure("T41", erased=len(gone), recoverable=self.recoverable(gone), proofs_valid_percent=100)

    def test_what_is_over_goes_by_itself_unless_it_is_needed_or_held(self):
        self.begin(RETENTION)
        self.load_flags(0, 1, 2)
        self.load_flags(2)  # two have ended, one stands
        self.duty("hold", SECOND)

        def by_time():
            said, erased = self.sealed("export")
            self.assertTrue(said["verified"])
            return [leaf for leaf in erased if leaf["outcome"] == "retention"]
        # The flag of the first child and its end; nothing of the second, on hold, nor of the third, which stands.
        leaves = until(lambda: sum(leaf["candidates"] for leaf in by_time()) >= 2 and by_time(), 240, "the first child's flag is erased")
        self.assertEqual(sum(leaf["candidates"] for leaf in leaves), 2)
        self.assertEqual({leaf["rule"] for leaf in leaves}, {"RET-F"})
        self.kill_broker()
        self.start_broker()
        self.duty("lift-hold", SECOND)
        until(lambda: sum(leaf["candidates"] for leaf in by_time()) == 4, 240, "the second child's flag is erased")


main_side_by_side()
