#!/usr/bin/python3
"""The auditor's guide is true: each of its commands, as written, in order, against a running broker."""

import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from figures import figure  # noqa: E402
from flagpost import BIN, SOURCE, Scenario, main, until  # noqa: E402
from pages import Browser  # noqa: E402

AUDITOR, POLICE, CARE = "auditor/audit-office", "police/31", "social-care/E10000024"
FLAGS = """LAchildID,GivenNames,FamilyName,PersonBirthDate,FlagKind,CPPstartDate
100,Amelia Rose,Ravenscroft,2015-04-17,child_protection_plan,2024-01-10
200,Oskar,Lindqvist,2012-11-03,looked_after,2024-01-10
"""
INCIDENT = {"reference": "OCC-2026-0815", "version": 1, "occurred": "2026-03-01T20:00:00Z", "recorded": "2026-03-01T21:00:00Z", "category": "Concern for safety", "domestic_abuse": "no",
            "circumstances": "Called by a neighbour.",
            "people": [{"given_names": "Amelia Rose", "family_name": "Ravenscroft", "date_of_birth": "2015-04-17", "role": "child", "present": True}]}


class AuditGuide(Scenario):
    agencies = [POLICE, CARE, AUDITOR, "operator/duty"]

    def test_every_command_of_the_guide_does_what_it_says(self):
        self.share_something()
        self.write_what_the_auditor_has()
        said = {}
        for command in self.commands():
            if command[1:2] == ["release"]:
                self.mark()
            if command[1:2] == ["serve"]:
                self.look_in_a_browser(command, said["people"][0])
                continue
            done = subprocess.run(command, cwd=self.desk, env=dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}"), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=120, text=True)
            said.setdefault(command[1], []).append(done.stdout)
            self.assertEqual(done.returncode, 0, (command, done.stdout, done.stderr))
        self.assertIn("exported", said["export"][0])
        self.assertIn("verified: ", said["verify"][0])
        self.assertIn("1 of 1 known witness", said["verify"][0])
        self.assertIn("proven: these bytes are entry 3", said["check"][0])
        self.assertIn("police/31 published an incident", said["replay"][0])
        self.assertRegex(said["replay"][2], r"owes social-care/E10000024 notice")
        self.assertNotIn("session", said["replay"][2])
        self.assertIn("1 notices were issued, 1 are closed, 0 are open", said["complete"][0])
        self.assertIn("under rule SC-1", said["explain"][0])
        self.assertIn("flag/E10000024/100: match", said["explain"][0])
        self.assertIn("decided again: 1 the same, 0 differing, 0 not replayable, 0 of another engine", said["decisions"][0])
        self.assertIn("flag/E10000024/100", said["subject"][0])
        self.assertIn("[redacted]", (self.desk / "answer.txt").read_text())
        self.assertNotIn("Called by a neighbour.", (self.desk / "answer.txt").read_text())
        self.assertRegex(said["tell-readings"][0], r"told the broker of \d+ readings")
        self.the_log_knows_of_it()

    def look_in_a_browser(self, command, added):
        """Signs in with what `people add` said, and reads the overview; then Ctrl-C."""
        daemon = subprocess.Popen(command, cwd=self.desk, env=dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}"), stdout=subprocess.PIPE, text=True)
        try:
            browser = Browser(daemon.stdout.readline().split()[1])
            password, secret = re.search(r"Password: (\S+)", added).group(1), re.search(r"app\): (\S+)", added).group(1)
            self.assertEqual(browser.sign_in("jo.wren", password, secret).status, 200)
            page = until(lambda: (found := browser.get("/audit")).headers["Refresh"] is None and found, 60, "the export is checked")
            for words in ("The log verifies.", "1 of 1 witness: care", "1 the same, 0 differ", "1 were issued, 1 are closed, 0 are open", "Jo Wren"):
                self.assertIn(words, page.words)
        finally:
            daemon.send_signal(signal.SIGINT)
            self.assertEqual(daemon.wait(30), 0)
            daemon.stdout.close()

    def commands(self):
        """Every line of the guide's shell blocks."""
        guide = (SOURCE / "docs" / "guides" / "audit.md").read_text()
        lines = [line for block in re.findall(r"```sh\n(.*?)```", guide, re.S) for line in block.splitlines()]
        self.assertGreater(len(lines), 15)
        return [shlex.split(line) for line in lines]

    def share_something(self):
        """A flag, an incident that meets it, and the notice answered."""
        p = self.partnership
        self.start_broker()
        for agency in self.agencies:
            p.config(agency)
        (self.folder / "flags.csv").write_text(FLAGS)
        p.run("flagpost-social-care", CARE, "flags", "load", self.folder / "flags.csv")
        spool = self.folder / "spool"
        spool.mkdir()
        (spool / "one.ndjson").write_text(json.dumps(INCIDENT) + "\n")
        p.run("flagpost-police", POLICE, "feed", "--spool", spool, "--once")
        p.start("flagpost-social-care", CARE, "run")
        notice = until(lambda: p.json("flagpost-social-care", CARE, "inbox", "list"), 30, "the notice is in the inbox")[0]
        p.run("flagpost-social-care", CARE, "inbox", "acknowledge", notice["reference"], "--by", "Sam Patel")
        p.run("flagpost-social-care", CARE, "inbox", "record", notice["reference"], "--by", "Sam Patel", "--outcome", "contacted")
        until(lambda: not p.json("flagpost-broker", "operator/duty", "obligations"), 30, "the notice is closed")

    def write_what_the_auditor_has(self):
        """A desk with a config, and what came by hand: the log's key, and a policy that insists on social care's witness."""
        self.desk = self.folder / "desk"
        self.desk.mkdir()
        config = self.partnership.config(AUDITOR).read_text()
        (self.desk / "auditor.toml").write_text(config + 'people = "people.toml"\nlisten = "127.0.0.1:0"\n')
        vkey = (self.pki / "broker" / "log.vkey").read_text().strip()
        witness = (self.identity(CARE) / "witness.vkey").read_text().strip()
        (self.desk / "log.vkey").write_text(vkey + "\n")
        (self.desk / "policy.txt").write_text(f"log {vkey}\nwitness care {witness}\nquorum care\n")

    def mark(self):
        """What a person does with the draft."""
        draft = json.loads((self.desk / "draft.json").read_text())
        self.assertGreaterEqual(len(draft["items"]), 4)
        for item in draft["items"]:
            item["mark"] = "keep"
            content = item["content"]
            if isinstance(content, dict) and "circumstances" in content:
                item.update(mark="redact", why="a neighbour", redact=["/circumstances"])
        (self.desk / "marked.json").write_text(json.dumps(draft))

    def the_log_knows_of_it(self):
        p, export = self.partnership, self.folder / "after"
        p.config(AUDITOR)
        p.run("flagpost-audit", AUDITOR, "export", "--public", export)
        lines = [json.loads(line) for line in p.call(BIN / "flagpost-audit", "replay", export, "--json").splitlines()]
        disclosed = [leaf for leaf in lines if leaf["kind"] == "disclosed"]
        self.assertEqual([(leaf["outcome"], leaf["purpose"], leaf["recipient"]) for leaf in disclosed], [("all", "ICO-2026-17", AUDITOR)])
        read = [leaf["outcome"].split()[-1] for leaf in lines if leaf["kind"] == "consulted" and leaf["outcome"].startswith("reading: ")]
        for command in ("explain", "decisions", "subject", "replay", "overview"):
            self.assertIn(command, read)
        figure("audit guide", commands=len(self.commands()), disclosures_logged=len(disclosed), readings_logged=len(read))


main()
