#!/usr/bin/python3
"""A force and an authority hold what they have against what the broker has: the same says so, and each kind of difference is named."""

import json
import pathlib
import sqlite3
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from feeding import COLUMNS, FORCE  # noqa: E402
from flagpost import BIN, Scenario, main, until  # noqa: E402

CARE = "social-care/E10000024"
FLAGS = """LAchildID,GivenNames,FamilyName,PersonBirthDate,FlagKind,CPPstartDate,AddressLine1,Town,PostCode
100,Ava,Example,2019-03-04,child_protection_plan,2024-01-10,197 Quarry Crescent,Castle Meadows,XN76 1QQ
"""
CHILD = json.dumps([{"given_names": "Ava", "family_name": "Example", "date_of_birth": "2019-03-04", "role": "child"}]).replace('"', '""')
COUNT = 400  # more than a page has


class Reconcile(Scenario):
    agencies = [FORCE, CARE]

    def setUp(self):
        super().setUp()
        self.start_broker()
        p = self.partnership
        p.config(FORCE)
        p.config(CARE)
        (self.folder / "flags.csv").write_text(FLAGS)
        p.run("flagpost-social-care", CARE, "flags", "load", self.folder / "flags.csv")
        (self.folder / "spool").mkdir()

    def reconcile(self, program, agency, *options):
        name = agency.replace("/", "-")
        done = subprocess.run([BIN / program, "reconcile", "--from", "2020-01-01", *options, "--json", "--config", self.folder / f"{name}.toml"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, text=True)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if answer["differences"] else 0)
        return answer

    def own(self, *words):
        done = subprocess.run([BIN / "flagpost-social-care", "--config", self.folder / "social-care-E10000024.toml", *words],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, text=True)
        return json.loads(done.stdout)

    def change(self, agency, *statements):
        with sqlite3.connect(self.folder / (agency.replace("/", "-") + ".db")) as box:
            for statement in statements:
                self.assertEqual(box.execute(statement).rowcount, 1, statement)
        box.close()

    def test_what_differs_is_named(self):
        p = self.partnership
        rows = "".join(f'NP-{n},1,open,2025-03-04T21:10:00Z,,Theft,no,{n} Oak Road,Worksop,S80 1AB,"{CHILD if n == 0 else "[]"}",Noise\n' for n in range(COUNT))
        (self.folder / "spool" / "day.csv").write_text(COLUMNS + rows)
        p.run("flagpost-police", FORCE, "feed", "--spool", self.folder / "spool", "--once")
        daemon = p.start("flagpost-social-care", CARE, "run")
        until(lambda: p.json("flagpost-social-care", CARE, "inbox", "list"), 30, "the notice is in the inbox")
        daemon.terminate()
        daemon.wait(20)

        force = self.reconcile("flagpost-police", FORCE)
        self.assertEqual((force["same"], force["differences"], force["waiting"]), (COUNT, [], 0))
        care = self.reconcile("flagpost-social-care", CARE)
        self.assertEqual(care["differences"], [])
        self.assertGreaterEqual(care["same"], 4)  # three messages of the load, one notice
        self.assertEqual(self.reconcile("flagpost-police", FORCE, "--to", "2020-02-01")["same"], 0)

        self.change(FORCE, "DELETE FROM outgoing WHERE subject = 'NP-3'", "UPDATE outgoing SET leaf = leaf + 1 WHERE subject = 'NP-5'",
                    "UPDATE outgoing SET id = x'0195000000007000800000000000000a' WHERE subject = 'NP-7'",
                    "UPDATE outgoing SET state = 2, leaf = NULL, reason = 1, place = 'x' WHERE subject = 'NP-9'")
        force = self.reconcile("flagpost-police", FORCE)
        self.assertEqual(sorted((each["what"], each["subject"]) for each in force["differences"]),
                         [("different", "NP-5"), ("different", "NP-9"), ("sent, but not there", "NP-7"),
                          ("there, but not sent from here", "NP-3"), ("there, but not sent from here", "NP-7")])
        self.assertEqual(force["same"], COUNT - 4)
        self.change(CARE, "DELETE FROM incoming WHERE kind = 6")
        care = self.reconcile("flagpost-social-care", CARE)
        self.assertEqual([(each["what"], each["subject"]) for each in care["differences"]],
                         [("issued to us, but not in the inbox", "notices/" + CARE)])

    def test_an_older_copy_of_a_data_file_goes_on_and_what_it_lacks_is_named(self):
        p = self.partnership
        boxes = {agency: self.folder / (agency.replace("/", "-") + ".db") for agency in self.agencies}

        def incident(number):
            (self.folder / "spool" / f"{number}.csv").write_text(
                COLUMNS + f'NP-{number},1,open,2025-03-04T21:10:00Z,,Theft,no,{number} Oak Road,Worksop,S80 1AB,"{CHILD}",Noise\n')
            p.run("flagpost-police", FORCE, "feed", "--spool", self.folder / "spool", "--once")

        def inbox_holds(number):
            daemon = p.start("flagpost-social-care", CARE, "run")
            until(lambda: f"NP-{number}" in {each["incident_reference"] for each in p.json("flagpost-social-care", CARE, "inbox", "list")},
                  30, f"the notice about NP-{number}")
            daemon.terminate()
            daemon.wait(20)

        incident(1)
        inbox_holds(1)
        for box in boxes.values():  # as a guide says: by SQLite's own means, while programs may run
            with sqlite3.connect(box) as source, sqlite3.connect(f"{box}.copy") as copy:
                source.backup(copy)
            source.close()
            copy.close()
        incident(2)
        inbox_holds(2)
        (self.folder / "more.csv").write_text(FLAGS.replace("100,", "101,").replace("Ava", "Zeno"))
        p.run("flagpost-social-care", CARE, "flags", "load", self.folder / "more.csv", "--mode", "delta")
        for box in boxes.values():
            pathlib.Path(f"{box}.copy").rename(box)
            box.chmod(0o600)

        incident(3)
        inbox_holds(3)
        care = self.reconcile("flagpost-social-care", CARE)
        self.assertEqual(sorted(each["what"] for each in care["differences"]),
                         ["issued to us, but not in the inbox"] + 3 * ["there, but not sent from here"])  # the notice; the list in three messages
        again = self.reconcile("flagpost-social-care", CARE, "--fetch")
        self.assertEqual((again["fetched"], len(again["differences"])), (1, 3))
        notices = p.json("flagpost-social-care", CARE, "inbox", "list")
        self.assertEqual(sorted(each["incident_reference"] for each in notices), ["NP-1", "NP-2", "NP-3"])
        # A notice like any other: what is recorded about it counts, and once is enough.
        lost = next(each["reference"] for each in notices if each["incident_reference"] == "NP-2")
        p.run("flagpost-social-care", CARE, "inbox", "record", lost, "--by", "Sam Patel", "--outcome", "contacted")
        self.assertEqual(self.reconcile("flagpost-social-care", CARE, "--fetch")["fetched"], 0)
        self.change(CARE, f"DELETE FROM incoming WHERE reference = '{lost}'")
        closed = self.reconcile("flagpost-social-care", CARE, "--fetch")
        self.assertEqual(closed["fetched"], 0)
        self.assertIn("closed since", " ".join(each["detail"] for each in closed["differences"]))
        force = self.reconcile("flagpost-police", FORCE)
        self.assertEqual([(each["what"], each["subject"]) for each in force["differences"]], [("there, but not sent from here", "NP-2")])

        # The list of flags goes on too, once its number is said.
        again = ["--json", "flags", "load", self.folder / "more.csv", "--mode", "delta"]
        self.assertEqual(self.own(*again)["problem"], "load_begin.sequence: 3 is due")
        self.assertEqual(self.own(*again, "--sequence", "3")["code"], "all_loaded")


main()
