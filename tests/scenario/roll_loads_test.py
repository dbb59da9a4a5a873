#!/usr/bin/python3
"""A bad list of children is answered by its published code and changes nothing; one on which nobody is is taken if it says so."""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import children  # noqa: E402
from flagpost import BIN, Scenario, main  # noqa: E402

EDUCATION, SCHOOL, AUDITOR = "education/E10000024", "school/900001", "auditor/audit-office"
HEADER = "UPN,Surname,Forename,DOB\n"
CTF = ('<?xml version="1.0"?><CTfile><Header><CTFversion>25.0</CTFversion><SourceSchool><URN>900001</URN></SourceSchool></Header><CTFpupilData>'
       "<Pupil><UPN>H243278544154</UPN><Surname>Okafor</Surname><Forename>Sam</Forename><DOB>2014-01-02</DOB><Sex>M</Sex></Pupil>"
       "</CTFpupilData></CTfile>")


class RollLoads(Scenario):
    agencies = [EDUCATION, SCHOOL, AUDITOR]

    def load(self, agency, name, content, *options):
        file = self.folder / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        done = subprocess.run([BIN / "flagpost-school", "rolls", "load", file, *options, "--json", "--config",
                               self.folder / f"{agency.replace('/', '-')}.toml"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        self.assertNotEqual(done.stdout, b"", done.stderr.decode())
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if report["code"] in ("all_loaded", "some_loaded") else 1)
        return report

    def changes(self):
        return [(leaf["kind"], leaf["topic"]) for leaf in self.leaves(AUDITOR, "record_set", "record_removed")]

    def test_bad_lists_change_nothing_and_an_empty_one_has_to_say_so(self):
        self.start_broker()
        for agency in self.agencies:
            self.partnership.config(agency)
        good = children.roll(children.CHILDREN[:3], 900001)
        self.assertEqual(self.load(SCHOOL, "roll.csv", good, "--count", "3")["file_code"], "CPF02")
        register = HEADER + ",Fenwicke,Tobias,2014-07-30\n"
        self.assertEqual(self.load(EDUCATION, "register.csv", register, "--not-in-school")["file_code"], "CPF02")
        before = self.changes()
        self.assertEqual(len(before), 4)

        bad = {
            "wide.csv": (",".join(["URN", "UPN", "Surname", "Forename", "DOB"] + [f"c{i}" for i in range(1_000_000)]) + "\n", "CPF01", "columns"),
            "line.csv": (b"URN,UPN,Surname,Forename,DOB\n" + b"x" * 100_000_000 + b"\n", "CPF04", ""),
            "header.csv": (b"x" * 100_000_000, "CPF01", ""),
            "nul.csv": (good.encode().replace(b"Amelia", b"Am\0lia").replace(b"Oskar", b"\0").replace(b"Imogen", b"\0"), "CPF01", "not text"),
            "utf16.csv": (good.encode("utf-16"), "CPF01", "not text"),
            "other.csv": (HEADER, "CPF01", "URN"),
            "nothing.csv": ("", "CPF01", "header"),
            "empty.csv": (good.splitlines(True)[0], "CPF04", "--count 0"),
            "broken.xml": (CTF[:-12], "CPF01", "no XML"),
            "laughs.xml": ('<!DOCTYPE l [<!ENTITY a "ha">]><CTfile>&a;</CTfile>', "CPF01", "document type"),
            "other.xml": (CTF.replace("900001", "900002"), "CPF01", "another school"),
        }
        for name, (content, code, why) in bad.items():
            with self.subTest(name):
                report = self.load(SCHOOL, name, content)
                self.assertEqual((report["file_code"], report["loaded"]), (code, 0))
                self.assertIn(why, report["problem"])
                self.assertIn("rejected", (self.folder / f"{name}.rejects.csv").read_text())
        for declared in ("2", "0"):
            report = self.load(SCHOOL, "counted.csv", good, "--count", declared)
            self.assertEqual((report["code"], report["problem"]), ("wrong_count", f"file: 3 records where {declared} were declared"))
        self.assertEqual(self.load(SCHOOL, "later.csv", good, "--sequence", "7")["code"], "sequence_gap")
        self.assertEqual(self.changes(), before)

        twice = self.load(SCHOOL, "twice.csv", good + good.splitlines(True)[1])
        self.assertEqual((twice["file_code"], twice["loaded"], twice["rejected_by_broker"]), ("CPF03", 3, 1))
        self.assertIn("duplicate", twice["results"][0]["where"])
        self.assertEqual(self.changes(), before)

        report = self.load(EDUCATION, "none.csv", HEADER, "--not-in-school")
        self.assertEqual((report["file_code"], report["loaded"]), ("CPF04", 0))
        self.assertEqual(self.changes(), before)
        report = self.load(EDUCATION, "none.csv", HEADER, "--not-in-school", "--count", "0")
        self.assertEqual((report["file_code"], report["sequence"], report["loaded"]), ("CPF02", 2, 0))
        self.assertEqual(self.changes()[len(before):], [("record_removed", "rolls/not-in-school/E10000024")])
        self.assertEqual(self.load(EDUCATION, "register.csv", register, "--not-in-school", "--count", "1")["file_code"], "CPF02")
        self.assertEqual(self.load(SCHOOL, "roll.xml", CTF)["loaded"], 1)


main()
