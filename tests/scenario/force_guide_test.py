#!/usr/bin/python3
"""The force's guide is true: its config, mapping and sample as printed, each command as written, against a running broker."""

import csv
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from figures import figure  # noqa: E402
from flagpost import BIN, SOURCE, Scenario, free_port, main, until  # noqa: E402

POLICE, CARE = "police/31", "social-care/E10000024"
FLAGS_HEADER = "LAchildID,GivenNames,FamilyName,PersonBirthDate,FlagKind,CPPstartDate,Shield,Addresses\n"


def flag(row, line, shield=""):
    address = json.dumps([{"line_1": line, "town": "Castle Meadows", "postcode": "XN76 1QQ"}]).replace('"', '""')
    return f'{row},child_protection_plan,2024-01-10,{shield},"{address}"\n'


AVA, MIA = "100,Ava,Example,2019-03-04", "101,Mia,Sample,2018-05-06"
HIDDEN = flag(MIA, "1 Hidden Row", "refuge")
MARKER_RULE = """
[[share]]
id = "MRK-1"
what = "flag_marker"
from = "social-care"
to = "police"
purpose = "safeguarding"
legal_basis = ["CA2004-s10", "DPA2018-Sch8-4"]
fields = ["marker", "kind", "places", "start_date", "end_date", "contact", "out_of_hours_contact", "removed"]
respond_within = "24h"
retention = "marker"
"""
GUIDE = SOURCE / "docs" / "guides" / "connect-a-force.md"


class ForceGuide(Scenario):
    agencies = [POLICE, CARE]
    more_rules = MARKER_RULE

    def test_every_command_of_the_guide_does_what_it_says(self):
        self.start_broker()
        p = self.partnership
        p.config(CARE)
        self.load_flags(flag(AVA, "197 Quarry Crescent"))
        self.write_what_the_guide_shows()
        said, background = [], []
        for line in self.commands():
            if line.endswith(" &"):
                background.append(self.command(line[:-2], wait=False))
                continue
            done = self.command(line)
            self.assertEqual(done.returncode, 0, (line, done.stdout, done.stderr))
            said.append(done.stdout)
        check, _, once, posted, imported, markers, status, matched, story, reports, reconciled = said
        self.assertIn("occurred = 2026-07-05T20:40:00.000000Z   <- Date, Time: 05/07/2026 | 21:40", check)
        self.assertIn("people[0].family_name = EXAMPLE   <- Person: EXAMPLE, Jo", check)
        self.assertIn("Everything in the sample is mapped or ignored.", check)
        self.assertIn("2 incidents could be published; 0 records would be rejected.", check)
        self.assertIn("1 file: 2 incidents published, 0 rows rejected.", once)
        self.assertTrue((self.desk / "spool" / "archive" / "july.csv").exists())
        answer = json.loads(posted)
        self.assertEqual([(one["reference"], one["result"]) for one in answer["incidents"]], [("05/07/2026-1043", "queued")])
        self.assertEqual(answer["notes"], [])
        self.assertIn("backlog.csv: 40 incidents published, 0 had been published before, 0 records rejected, 0 refused.", imported)
        self.assertIn(f"Flags of {CARE.split('/')[1]}: 1 to mark; their list is ", markers)
        self.assertIn("gazetteer/markers.csv: 1 rows; ", markers)
        self.assertIn("Sent 43: ", status)
        self.assertIn("1 to mark", status)
        self.assertEqual(self.marked(), ["197 Quarry Crescent"])
        self.assertIn("Of 43 incidents of the last 72 hours, 1 concerned a child somebody had to be told of; for 0 of these everybody has answered.",
                      matched)
        self.assertNotIn("The broker said nothing of", matched)
        self.assertRegex(story, r"05/07/2026-1041: (owed|decided)")
        self.assertIn("No reports", reports)
        self.assertIn("43 the same, 0 different; 0 not sent yet, 0 refused", reconciled)
        notice = until(lambda: p.json("flagpost-social-care", CARE, "inbox", "list") or self.fetch_notices(), 30, "the notice is in the inbox")
        self.assertEqual(len(notice), 1)
        self.load_flags(flag(AVA, "2 New Street"))
        until(lambda: self.marked() == ["2 New Street"], 30, "the marker is where the child is now")
        self.load_flags(flag(AVA, "2 New Street", "refuge"))
        until(lambda: self.marked() == [], 30, "the marker is gone")
        changes = sorted((self.desk / "gazetteer").glob("changes-*.csv"))
        self.assertEqual([[row["action"] for row in self.rows(file)] for file in changes], [["set"], ["set"], ["remove"]])
        self.assertNotIn("Hidden", "".join(file.read_text() for file in (self.desk / "gazetteer").iterdir()))
        for daemon in background:
            daemon.terminate()
            self.assertEqual(daemon.wait(30), 0)
        figure("force guide", commands=len(self.commands()))

    def load_flags(self, row):
        (self.folder / "flags.csv").write_text(FLAGS_HEADER + row + HIDDEN)
        self.partnership.run("flagpost-social-care", CARE, "flags", "load", self.folder / "flags.csv")

    @staticmethod
    def rows(file):
        with open(file, newline="", encoding="utf-8") as lines:
            return list(csv.DictReader(lines))

    def marked(self):
        return [row["line_1"] for row in self.rows(self.desk / "gazetteer" / "markers.csv")]

    def fetch_notices(self):
        """Social care's own program, started once."""
        if not any("social-care" in str(daemon.args) for daemon in self.partnership.daemons):
            self.partnership.start("flagpost-social-care", CARE, "run")
        return []

    def command(self, line, wait=True):
        environment = dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}")
        words = shlex.split(line.replace(":7480", f":{self.port}"))
        if not wait:
            daemon = subprocess.Popen(words, cwd=self.desk, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.addCleanup(lambda: daemon.poll() is None and daemon.kill())
            return daemon
        return subprocess.run(words, cwd=self.desk, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, text=True)

    def commands(self):
        """Every line of the guide's shell blocks."""
        lines = [line for block in re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.S) for line in block.splitlines()]
        self.assertGreater(len(lines), 6)
        return lines

    def block(self, name):
        return re.search(rf"```\w+ {name}\n(.*?)```", GUIDE.read_text(), re.S)[1]

    def write_what_the_guide_shows(self):
        """A folder with the guide's files; of its config, what says where this partnership is, is this one's."""
        self.desk, self.port = self.folder / "desk", free_port()
        self.desk.mkdir()
        (self.desk / "spool").mkdir()
        (self.desk / "gazetteer").mkdir()
        here = self.partnership.config(POLICE).read_text().splitlines()
        ours = {line.split("=")[0].strip() for line in here}
        own = [line for line in self.block("config").replace(":7480", f":{self.port}").splitlines()
               if line and line.split("=")[0].strip() not in ours | {"crl"}]
        self.assertEqual([line.split()[0] for line in own], ["spool", "mapping", "http_listen", "http_token", "outbox_max", "markers"])
        (self.desk / "police.toml").write_text("\n".join(here + own) + "\n")
        for name, file in (("sample", "sample.csv"), ("mapping", "mapping.toml"), ("incident", "incident.json")):
            (self.desk / file).write_text(self.block(name))
        header = self.block("sample").splitlines()[0]
        rows = [f'{n},06/06/2025,10:00,ASB,,"{n} Oak Road, Castle Meadows, XN76 2AB",,,,Noise.' for n in range(1, 41)]
        (self.desk / "backlog.csv").write_text("\n".join([header] + rows) + "\n")
        token = "0123456789abcdef-practice"
        (self.desk / "token").touch(0o600)
        (self.desk / "token").write_text(token + "\n")
        (self.desk / "bearer").write_text(f"Authorization: Bearer {token}\n")


main()
