#!/usr/bin/python3
"""The guide for schools is true: its config file and each of its commands, as written, in order, against a running broker."""

import datetime
import json
import pathlib
import re
import shlex
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import children  # noqa: E402
from flagpost import SOURCE, main, until  # noqa: E402
from guide import Guide  # noqa: E402
from pages import Browser  # noqa: E402

FORCE, DUTY, SCHOOL = "police/31", "operator/duty", "school/900001"
GUIDE = (SOURCE / "docs" / "guides" / "connect-a-school.md").read_text()
NEWS = "You have a new notice in Flagpost. Sign in as you usually do."


class SchoolGuide(Guide):
    agencies = [FORCE, DUTY, SCHOOL]

    def setUp(self):
        super().setUp()
        self.start_broker()
        for agency in self.agencies:
            self.partnership.config(agency)
        self.desk = self.folder / "desk"
        self.desk.mkdir()
        self.write_config()
        (self.desk / "roll.csv").write_text(children.roll(children.CHILDREN[:1], 900001))
        today = datetime.date.today().isoformat()
        (self.desk / "contacts.csv").write_text("Name,Role,Telephone,Email,VerifiedOn\n"
                                                f"Jo Wren,DSL,01632 960301,,{today}\nKit Bell,Deputy,,kit@oak.example,{today}\n")
        (self.desk / "terms.csv").write_text("FirstDay,LastDay,DayStarts,Closed\n2020-01-06,2039-12-16,08:40,\n")
        hook = self.desk / "tell-us"
        hook.write_text(f'#!/bin/sh\necho "$@" >> {self.desk}/told\n')
        hook.chmod(0o700)

    def write_config(self):
        """The guide's own, but for where this partnership's broker and keys are."""
        text = re.search(r"`school.toml`:\n\n```toml\n(.*?)```", GUIDE, re.S).group(1)
        true = {"broker": f"localhost:{self.partnership.port}", "partnership": "nottinghamshire.example", "identity": str(self.identity(SCHOOL)),
                "ca": str(self.pki / "ca.crt"), "log_vkey": str(self.pki / "broker" / "log.vkey")}
        for key, value in true.items():
            text, found = re.subn(rf"^{key}( *)= .*$", lambda match: f"{key}{match.group(1)}= {json.dumps(value)}", text, flags=re.M)
            self.assertEqual(found, 1, key)
        (self.desk / "school.toml").write_text(text)

    def run_as_written(self, command, reference):
        words = [reference if word == "FP-7K3M-29QD" else word for word in command]
        return self.call(*words)

    def test_every_command_of_the_guide_does_what_it_says(self):
        commands = [shlex.split(line) for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.S) for line in block.splitlines()]
        self.assertEqual(len(commands), 12)
        said, reference = {}, None
        for command in commands:
            name = " ".join(word for word in command[3:5] if not word.startswith("FP-"))
            if name == "serve":
                self.serve(command)
                reference = self.owe()
            else:
                said.setdefault(name, []).append(self.run_as_written(command, reference))
        password, secret = re.search(r"Password: (\S+)", said["people add"][0]).group(1), re.search(r"app\): (\S+)", said["people add"][0]).group(1)
        for load in ("rolls load", "contacts load", "terms load"):
            self.assertIn("all records were loaded", said[load][0])
        self.assertIn("Kit Bell, Deputy", said["contacts list"][0])
        self.assertIn("Not read yet: 1", said["status"][0])
        self.assertIn(reference, said["inbox list"][0])
        self.assertIn("Do not approach parents or carers because of this notice.", " ".join(said["inbox show"][0].split()))
        self.assertIn("opened by Kit Bell", said["inbox acknowledge"][0])
        self.assertIn("recorded by Kit Bell", said["inbox record"][0])
        until(lambda: not self.partnership.json("flagpost-broker", DUTY, "obligations"), 30, "the broker knows")
        self.assertEqual((self.desk / "told").read_text(), NEWS + "\n")
        jo = Browser(self.url)
        self.assertEqual(jo.sign_in("jo.wren", password, secret).status, 200)
        self.assertIn("Recorded by Kit Bell", jo.get(f"/notices/{reference}").words)
        self.assertIn("Oak Primary School", jo.get("/done").words)

    def owe(self):
        """A notice comes while the school serves; its reference."""
        spool = self.folder / "spool"
        spool.mkdir()
        (spool / "day.csv").write_text(children.incidents(children.CHILDREN[:1], abuse=True))
        self.partnership.run("flagpost-police", FORCE, "feed", "--spool", spool, "--once")
        def listed():
            return json.loads(self.run_as_written(["flagpost-school", "--config", "school.toml", "--json", "inbox", "list"], None))
        [notice] = until(listed, 60, "the notice is in the inbox")
        until(lambda: (self.desk / "told").exists(), 30, "the hook was run")
        self.lose(notice["reference"])
        self.assertEqual(listed(), [])
        self.run_as_written(["flagpost-school", "--config", "school.toml", "reconcile", "--from", "2020-01-01", "--fetch"], None)
        self.assertEqual([each["reference"] for each in listed()], [notice["reference"]])
        return notice["reference"]

    def lose(self, reference):
        """As an older copy of the data file would."""
        with sqlite3.connect(self.desk / "school.db") as box:
            self.assertEqual(box.execute("DELETE FROM incoming WHERE reference = ?", (reference,)).rowcount, 1)
        box.close()


main()
