#!/usr/bin/python3
"""An auditor runs each command of flagpost-audit on what a partnership did, and each says what happened, as the force's own outbox, the files the operator put in
force and the test that published know it; what cannot be answered is said in one line with the exit code of wrong usage, and changes nothing."""

import hashlib
import json
import os
import pathlib
import pty
import shutil
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from children import CHILDREN, flags, incidents  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import BIN, Failed, Scenario, main, until  # noqa: E402

FORCE, CARE, AUDITOR, DUTY = "police/31", "social-care/E10000024", "auditor/audit-office", "operator/duty"
DAMAGED, WRONG_USAGE = 1, 2
KNOWN, STRANGER = CHILDREN[:2], CHILDREN[2]  # with a flag, and without
CASE = "ICO-2026-17"


def second():
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())


class AuditCommands(Scenario):
    agencies = [FORCE, CARE, AUDITOR, DUTY]

    def test_each_command_says_what_happened_and_refuses_what_it_cannot_answer(self):
        self.play()
        self.take_away()
        self.calls = 0
        for part in (self.exported, self.verified, self.signed, self.proven, self.replayed, self.explained, self.completed, self.decided, self.collected, self.read_is_logged):
            with self.subTest(part.__name__):
                part()
        figure("audit commands", calls=self.calls)

    # --- What happens

    def play(self):
        """Two children with a flag, an incident of each and one of a stranger, a second apart; the first notice is answered. Parties change on the way."""
        p = self.partnership
        self.start_broker()
        for agency in self.agencies:
            p.config(agency)
        (self.folder / "flags.csv").write_text(flags(KNOWN))
        p.run("flagpost-social-care", CARE, "flags", "load", self.folder / "flags.csv")
        p.start("flagpost-social-care", CARE, "run")
        self.texts = [p.agreement.read_bytes(), (self.pki / "parties.toml").read_bytes(), (self.pki / "crl.pem").read_bytes()]
        self.spool = self.folder / "spool"
        self.spool.mkdir()
        self.before, self.after = {}, {}
        for number, child in enumerate([*KNOWN, STRANGER]):
            name = f"OCC{number}"
            self.before[name] = second()
            (self.spool / f"{name}.csv").write_text(incidents([child], name))
            p.run("flagpost-police", FORCE, "feed", "--spool", self.spool, "--once")
            time.sleep(1.1)
            self.after[name] = second()
        inbox = until(lambda: (found := p.json("flagpost-social-care", CARE, "inbox", "list")) and len(found) == 2 and found, 60, "two notices are in the inbox")
        p.run("flagpost-social-care", CARE, "inbox", "record", inbox[0]["reference"], "--by", "Sam Patel", "--outcome", "contacted")
        until(lambda: len(p.json("flagpost-broker", DUTY, "obligations")) == 1, 30, "the first notice is closed")
        parties = self.pki / "parties.toml"
        parties.write_text(parties.read_text() + "# another edition\n")
        self.texts.append(parties.read_bytes())
        p.reload_broker()
        until(lambda: p.json("flagpost-broker", DUTY, "status")["parties"] == hashlib.sha256(self.texts[-1]).hexdigest(), 30, "the new list of parties is in force")
        with sqlite3.connect(self.folder / "police-31.db", timeout=30) as box:
            leaves = [row[0] for row in box.execute("SELECT leaf FROM outgoing ORDER BY leaf")]
        box.close()
        self.assertEqual(len(leaves), 3)
        self.entry = {f"OCC{number}": leaf for number, leaf in enumerate(leaves)}  # as the force was told with its Confirm

    def take_away(self):
        p = self.partnership
        self.public, self.sealed, self.scoped = (self.folder / name for name in ("public", "sealed", "scoped"))
        self.key = self.folder / "seal.key"
        self.said_of_export = p.run("flagpost-audit", AUDITOR, "export", "--public", self.public)
        p.sealed_export(AUDITOR, self.sealed, reason=CASE)
        p.sealed_export(AUDITOR, self.scoped, scope=f"controller={CARE}", reason=CASE)
        self.vkey = self.pki / "broker" / "log.vkey"
        self.size = int((self.sealed / "checkpoint").read_text().splitlines()[1])
        self.other_key = self.folder / "other.key"
        p.call("openssl", "genpkey", "-algorithm", "X25519", "-out", self.other_key)
        self.other_key.chmod(0o600)
        self.other_vkey = self.folder / "other.vkey"  # of another log
        self.other_vkey.write_text("broker.example/audit+0ebe6eac+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n")

    # --- Ways to ask

    def audit(self, *arguments, code=0):
        """What it printed. It never ends by a signal, and never shows the inside of the program."""
        self.calls += 1
        done = subprocess.run([str(part) for part in (BIN / "flagpost-audit", *arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, text=True)
        self.assertEqual(done.returncode, code, (arguments, done.stdout[-2000:], done.stderr[-2000:]))
        for inside in ("terminate called", "what():", "std::", "Assertion", "Traceback", "json.exception"):
            self.assertNotIn(inside, done.stderr, arguments)
        self.error = done.stderr
        return done.stdout

    def refused(self, words, *arguments, code=WRONG_USAGE):
        """One line on stderr that has these words, and nothing on stdout."""
        said = self.audit(*arguments, code=code)
        self.assertEqual(said, "", arguments)
        self.assertIn(words, self.error, arguments)
        self.assertEqual(len(self.error.strip().splitlines()), 1, self.error)

    def on_a_terminal(self, *arguments):
        """What a person who waits sees on stderr."""
        screen, end = pty.openpty()
        try:
            subprocess.run([str(part) for part in (BIN / "flagpost-audit", *arguments)], stdout=subprocess.DEVNULL, stderr=end, timeout=120, check=True)
            return os.read(screen, 65536).decode()
        finally:
            os.close(end)
            os.close(screen)

    def replay(self, *arguments):
        return [json.loads(line) for line in self.audit("replay", *arguments, "--json").splitlines()]

    def spoilt(self, of=None):
        """A copy of an export, to be damaged."""
        copy = self.folder / "spoilt"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(of or self.public, copy)
        return copy

    # --- Each command

    def exported(self):
        size = int((self.public / "checkpoint").read_text().splitlines()[1])
        self.assertIn(f"exported {size} entries, {size} of them new", self.said_of_export)
        self.assertEqual((self.public / "vkey").read_text(), self.vkey.read_text().strip() + "\n")
        self.assertFalse((self.public / "bodies").exists() or (self.public / "keys").exists())
        # Each text that was ever in force, by the digest of the file as the operator had it; of the broker's keys nobody else has the list.
        for folder in (self.public, self.sealed):
            there = {file.name.split(".")[0]: file for file in (folder / "policies").iterdir()}
            for text in self.texts:
                self.assertEqual(there.pop(hashlib.sha256(text).hexdigest()).read_bytes(), text)
            self.assertEqual([file.read_text().split(" ")[0] for file in there.values()], ["log"])
        config = self.folder / "auditor-audit-office.toml"
        self.refused("--scope", "export", "--config", config, "--sealed", self.folder / "no", "--scope", "everything", "--for", self.folder / "seal.pub", "--reason", CASE)
        for reason in ("x" * 65, "Ravenscroft", "request of Amelia"):
            self.refused("--reason: should be the number of a case", "export", "--config", config, "--sealed", self.folder / "no", "--scope", "all", "--for",
                         self.folder / "seal.pub", "--reason", reason)
        self.refused("--reason: should be the number of a case", "complete", self.public, "--reason", "about Amelia")
        self.refused("other terms", "export", "--config", config, "--public", self.sealed, code=DAMAGED)
        self.assertFalse((self.folder / "no").exists())

    def verified(self):
        self.assertIn(f"verified: {self.vkey.read_text().split('+')[0]}, {self.size} entries", self.audit("verify", self.sealed, "--vkey", self.vkey))
        said = json.loads(self.audit("verify", self.sealed, "--vkey", self.vkey, "--json"))
        self.assertEqual((said["verified"], said["size"], said["damages"], said["bodies_absent"]), (True, self.size, [], 0))
        self.assertGreater(said["bodies"], 5)
        self.assertRegex(self.on_a_terminal("verify", self.sealed, "--vkey", self.vkey), r"\rverifying \[[#.]{40}\] \d+ %")
        for file in sorted((self.public / "policies").iterdir()):
            copy = self.spoilt()
            altered = copy / "policies" / file.name
            altered.write_bytes(altered.read_bytes() + b" ")
            self.assertIn(f"policy {file.name}: is not the text of this digest", self.audit("verify", copy, "--vkey", self.vkey, code=DAMAGED))
            altered.unlink()
            self.assertIn(f"policy {file.name}: is missing: entry ", self.audit("verify", copy, "--vkey", self.vkey, code=DAMAGED))
        copy = self.spoilt()
        size = int((self.public / "checkpoint").read_text().splitlines()[1])
        entries = next((copy / "tile" / "entries").rglob("*.p")) / str(size % 256)
        entries.write_bytes(entries.read_bytes()[:-1])
        said = json.loads(self.audit("verify", copy, "--vkey", self.vkey, "--json", code=DAMAGED))
        self.assertEqual({damage["what"] for damage in said["damages"]}, {f"entry {size - 1}"})
        for reading in ("replay", "complete"):
            self.audit(reading, copy, code=DAMAGED)
            self.assertIn(f"entry {size - 1}: is no leaf", self.error)
        entries.write_bytes(entries.read_bytes()[:-300])
        for reading in ("replay", "complete"):
            self.audit(reading, copy, code=DAMAGED)
            self.assertIn("is damaged; verify says where", self.error)
        other = self.folder / "spoilt.vkey"
        other.write_text("another.example/log+0ebe6eac+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n")
        self.refused("is not the key of a log", "verify", self.public, "--vkey", other)
        self.assertIn("checkpoint: cannot be believed", self.audit("verify", self.public, "--vkey", self.other_vkey, code=DAMAGED))
        self.audit("verify", self.public, code=WRONG_USAGE)
        self.audit("verify", self.folder / "nowhere", "--vkey", self.vkey, code=WRONG_USAGE)

    def signed(self):
        """Three incidents, the list of flags and what social care answered; another agency's key in the list of parties finds them out."""
        ask = ("verify", self.sealed, "--vkey", self.vkey, "--signatures", "--key", self.key)
        said = json.loads(self.audit(*ask, "--json"))["signatures"]
        self.assertEqual((said["damages"], said["damage_count"], said["of_lists"]), ([], 0, len(KNOWN)))
        theirs = [leaf["kind"] for leaf in self.replay(self.sealed) if "/broker/" not in leaf["actor"] and leaf["kind"] in ("published", "opened", "recorded")]
        self.assertGreaterEqual((theirs.count("published"), theirs.count("recorded")), (3, 1))
        self.assertEqual((said["held"] + said["unreadable"], said["unreadable"]), (len(theirs), 2), "all but the two messages that a list came in")
        self.assertIn(f"signatures: {said['held']} messages and receipts are signed by whom their entries name", self.audit(*ask))
        self.refused("--signatures: needs --key", *ask[:5])
        self.refused("is a public export", "verify", self.public, *ask[2:])
        self.refused("is not the key that", *ask[:6], self.other_key)

    def proven(self):
        index = self.entry["OCC1"]
        proof, leaf = self.folder / "one.tlog-proof", self.folder / "one.leaf"
        self.audit("prove", self.public, index, "--out", proof, "--leaf", leaf)
        said = self.audit("check", proof, leaf, "--vkey", self.vkey)
        self.assertIn(f"proven: these bytes are entry {index} of", said)
        self.assertIn("police/31 published an incident on incidents/31", said)
        self.refused("exists already", "prove", self.public, index, "--out", proof, "--leaf", self.folder / "another.leaf")
        self.refused("exists already", "prove", self.public, index, "--out", self.folder / "another", "--leaf", leaf)
        for unknown in (self.size + 1000, 2**63):
            self.refused(f"entry {unknown}: the export has entries 0 to ", "prove", self.public, unknown, "--out", self.folder / "another", "--leaf", self.folder / "another.leaf")
        self.audit("prove", self.public, "first", "--out", self.folder / "another", "--leaf", self.folder / "another.leaf", code=WRONG_USAGE)
        self.assertFalse((self.folder / "another").exists() or (self.folder / "another.leaf").exists(), "nothing was written by halves")
        spoilt = self.folder / "spoilt.leaf"
        for content in (leaf.read_bytes()[:-1], leaf.read_bytes()[:-1] + b"\xff", b""):
            spoilt.write_bytes(content)
            self.assertIn("NOT PROVEN", self.audit("check", proof, spoilt, "--vkey", self.vkey, code=DAMAGED))
        for cut in (0, 10, len(proof.read_bytes()) // 2, len(proof.read_bytes()) - 2):
            spoilt.write_bytes(proof.read_bytes()[:cut])
            self.assertIn("NOT PROVEN", self.audit("check", spoilt, leaf, "--vkey", self.vkey, code=DAMAGED))
        self.assertIn("NOT PROVEN", self.audit("check", proof, leaf, "--vkey", self.other_vkey, code=DAMAGED))
        # Publisher and recipient take home proofs of what is theirs, over the wire, and of nothing else.
        p, owed = self.partnership, next(leaf["index"] for leaf in self.replay(self.public, "--agency", CARE) if leaf["kind"] == "notice_issued")
        for program, agency, mine in (("flagpost-police", FORCE, index), ("flagpost-social-care", CARE, owed)):
            proof, leaf = (self.folder / f"{program}.{ending}" for ending in ("tlog-proof", "leaf"))
            p.run(program, agency, "proof", mine, "--out", proof, "--leaf", leaf)
            self.assertIn(f"proven: these bytes are entry {mine} of", self.audit("check", proof, leaf, "--vkey", self.vkey))
            with self.assertRaisesRegex(Failed, "not_found"):
                p.run(program, agency, "proof", index + owed - mine, "--out", self.folder / "another", "--leaf", self.folder / "another.leaf")
        self.assertFalse((self.folder / "another").exists())

    def replayed(self):
        everything = self.replay(self.public)
        self.assertEqual([leaf["index"] for leaf in everything], list(range(len(everything))))
        self.assertEqual({leaf["index"] for leaf in everything if leaf["kind"] == "published" and leaf["topic"] == "incidents/31"}, set(self.entry.values()))
        lines = self.audit("replay", self.public).splitlines()
        self.assertEqual(len(lines), len(everything))
        self.assertIn(f"police/31 published an incident on incidents/31 [{self.entry['OCC0']}]", lines[self.entry["OCC0"]])
        self.assertIn("put revocation list", "\n".join(lines))
        lists = [leaf for leaf in everything if leaf["kind"] == "crl_set"]
        self.assertEqual([leaf["setting"] for leaf in lists], [hashlib.sha256(self.texts[2]).hexdigest()])

        # By time, as the test's own clock had it: one incident, and no other.
        window = self.replay(self.public, "--from", self.before["OCC1"], "--to", self.after["OCC1"])
        self.assertEqual([leaf["index"] for leaf in window if leaf["kind"] == "published" and leaf["topic"] == "incidents/31"], [self.entry["OCC1"]])
        self.assertTrue(all(self.before["OCC1"] <= leaf["time"][:19] < self.after["OCC1"] for leaf in window))
        # By agency.
        for leaf in self.replay(self.public, "--agency", FORCE):
            self.assertTrue(leaf["actor"].endswith("/" + FORCE) or leaf.get("recipient") == FORCE, leaf)
        self.assertEqual(len([leaf for leaf in self.replay(self.public, "--agency", FORCE) if leaf["kind"] == "published"]), 3)
        owed = [leaf for leaf in self.replay(self.public, "--agency", CARE) if leaf["kind"] == "notice_issued"]
        self.assertEqual(len(owed), 2)
        # By incident, by its number and by the force's reference: the same, and nothing of the other.
        by_entry = self.replay(self.public, "--incident", self.entry["OCC0"])
        by_reference = self.replay(self.sealed, "--key", self.key, "--incident", "31/OCC0-0")
        self.assertEqual([leaf["index"] for leaf in by_entry], [leaf["index"] for leaf in by_reference])
        kinds = [leaf["kind"] for leaf in by_entry]
        self.assertEqual([kind for kind in kinds if kind in ("published", "decided", "notice_issued", "recorded")], ["published", "decided", "notice_issued", "recorded"])
        self.assertNotIn(self.entry["OCC1"], [leaf["index"] for leaf in by_entry])
        self.assertEqual([leaf["kind"] for leaf in self.replay(self.public, "--incident", self.entry["OCC2"])], ["published", "decided"])
        # By subject: who is in the notice about the first child is in none about the second.
        about = {subject for leaf in by_entry if leaf["kind"] == "notice_issued" for subject in leaf["subjects"]}
        for subject in about:
            found = self.replay(self.public, "--subject", subject)
            self.assertTrue(all(subject in leaf["subjects"] for leaf in found))
            self.assertIn("notice_issued", [leaf["kind"] for leaf in found])
            self.assertNotIn(owed[1]["index"], [leaf["index"] for leaf in found])

        nothing = "no entry of this export is of what you asked for\n"
        self.assertEqual(self.audit("replay", self.public, "--from", "2020-01-01", "--to", "2020-01-02"), nothing)
        self.assertEqual(self.audit("replay", self.public, "--subject", "0" * 32), nothing)
        self.assertEqual(self.audit("replay", self.public, "--agency", "police/99"), nothing)
        self.assertEqual(self.replay(self.public, "--subject", "0" * 32), [])
        for words, *wrong in (("--to: is not after --from", "--from", "2026-02-01", "--to", "2026-02-01"), ("yesterday: is not a time", "--from", "yesterday"),
                              ("is not a time", "--to", "2026-02-30"), ("nobody: is not an agency", "--agency", "nobody"), ("--subject", "--subject", "Ravenscroft"),
                              (f"entry {self.size + 9}: the export has entries", "--incident", self.size + 9), ("entry 0: is no incident", "--incident", 0),
                              ("only with --key", "--incident", "31/OCC0-0")):
            self.refused(words, "replay", self.public, *wrong)
        self.refused("no incident 31/NONE", "replay", self.sealed, "--key", self.key, "--incident", "31/NONE")
        self.refused("is no export", "replay", self.spool)
        self.assertFalse((self.folder / "spool.readings").exists())

    def explained(self):
        told = self.audit("explain", self.sealed, "31/OCC0-0", "--key", self.key)
        for words in (f"[{self.entry['OCC0']}]", "police/31 published incident 31/OCC0-0, version 1", "flag/E10000024/C0: match", f"{CARE} is owed", "under rule SC-1",
                      f"recorded by a named person of {CARE}: contacted, which closes it"):
            self.assertIn(words, told)
        self.assertNotIn("flag/E10000024/C1", told)
        self.assertIn("not answered yet", self.audit("explain", self.sealed, self.entry["OCC1"], "--key", self.key))
        self.assertIn("nobody, or nothing new", self.audit("explain", self.sealed, "31/OCC2-0", "--key", self.key))
        story = json.loads(self.audit("explain", self.sealed, "31/OCC0-0", "--key", self.key, "--json"))
        self.assertEqual([part["what"] for part in story], ["published", "decided"])
        self.assertEqual([(notice["recipient"], notice["rule"]) for notice in story[1]["told"]], [(CARE, "SC-1")])
        self.refused("no incident 31/NONE that you can read", "explain", self.sealed, "31/NONE", "--key", self.key)
        self.refused("not in your scope", "explain", self.scoped, "31/OCC0-0", "--key", self.key)
        self.refused("no incident", "explain", self.sealed, self.size + 5, "--key", self.key)
        self.keys_are_judged("explain", "31/OCC0-0")

    def keys_are_judged(self, command, *arguments):
        self.refused("is not the key that", command, self.sealed, *arguments, "--key", self.other_key)
        self.refused("is a public export", command, self.public, *arguments, "--key", self.key)
        self.audit(command, self.sealed, *arguments, "--key", self.vkey, code=WRONG_USAGE)
        self.audit(command, self.sealed, *arguments, code=WRONG_USAGE)

    def completed(self):
        said = self.audit("complete", self.public, code=DAMAGED)
        self.assertIn("2 notices were issued, 1 are closed, 1 are open", said)
        self.assertRegex(said, rf"open since \S+ \S+: {CARE} owes an answer to notices/{CARE} #\d+")
        answer = json.loads(self.audit("complete", self.public, "--json", code=DAMAGED))
        self.assertEqual((answer["issued"], answer["closed"], answer["complete"], answer["strays"]), (2, 1, False, []))
        self.assertEqual([open_["recipient"] for open_ in answer["open"]], [CARE])
        self.assertEqual(answer["outcomes"], {"recorded: contacted": 1})
        self.assertEqual(sum(answer["leaves"].values()), int((self.public / "checkpoint").read_text().splitlines()[1]))
        self.refused("is no export", "complete", self.spool)

    def decided(self):
        self.assertIn("decided again: 3 the same, 0 differing, 0 not replayable, 0 of another engine", self.audit("decisions", self.sealed, "--key", self.key))
        said = json.loads(self.audit("decisions", self.sealed, "--key", self.key, "--json"))
        self.assertEqual((said["same"], said["differs"]), (3, 0))
        unreadable = json.loads(self.audit("decisions", self.scoped, "--key", self.key, "--json"))
        self.assertEqual((unreadable["same"], unreadable["differs"], unreadable["not_replayable"]), (0, 0, 3))
        self.keys_are_judged("decisions")

    def collected(self):
        draft = self.folder / "draft.json"
        given, family, born = KNOWN[0]
        said = self.audit("subject", self.sealed, "--key", self.key, "--family-name", family, "--born", born, "--out", draft)
        self.assertIn("items about flag/E10000024/C0, to be marked", said)
        items = json.loads(draft.read_text())["items"]
        text = json.dumps(items)
        self.assertIn(given, text)
        self.assertNotIn(KNOWN[1][1], text, "nothing about the other child")
        self.assertLessEqual({"published", "record_set", "decided", "notice_issued", "recorded"}, {item["what"] for item in items})
        self.assertIn(self.entry["OCC0"], [item["index"] for item in items])
        by_key = self.folder / "by-key.json"
        self.audit("subject", self.sealed, "--key", self.key, "--person", "flag/E10000024/C0", "--out", by_key)
        self.assertEqual(json.loads(by_key.read_text()), json.loads(draft.read_text()))

        answer, marked = self.folder / "answer.txt", self.folder / "marked.json"
        self.refused("is not marked keep, redact or withhold", "release", draft, "--out", answer, code=DAMAGED)
        for item in items:
            item["mark"] = "keep"
        hidden = next(item for item in items if isinstance(item["content"], dict) and "circumstances" in item["content"])
        hidden.update(mark="redact", why="a neighbour", redact=["/circumstances"])
        kept_back = next(item for item in items if item["what"] == "decided")
        kept_back.update(mark="withhold", why="about others")
        marked.write_text(json.dumps({"subjects": ["flag/E10000024/C0"], "items": items}))
        shown_elsewhere = [item for item in items if item is not hidden and "Shouting heard" in json.dumps(item["content"])]
        for item in shown_elsewhere:
            item.update(mark="withhold", why="a neighbour")
        marked.write_text(json.dumps({"subjects": ["flag/E10000024/C0"], "items": items}))
        self.assertIn("1 in part", self.audit("release", marked, "--out", answer))
        released = answer.read_text()
        self.assertIn("[redacted]", released)
        self.assertIn("withheld: about others", released)
        self.assertNotIn("Shouting heard", released)
        hidden["redact"] = ["/nowhere"]
        marked.write_text(json.dumps({"items": items}))
        self.refused("there is nothing at", "release", marked, "--out", self.folder / "another.txt", code=DAMAGED)
        marked.write_text(json.dumps({"items": items})[:-20])
        self.refused("is not JSON", "release", marked, "--out", self.folder / "another.txt")
        self.refused("exists already", "release", draft, "--out", answer)
        self.refused("nobody of that name", "subject", self.sealed, "--key", self.key, "--family-name", STRANGER[1], "--born", STRANGER[2], "--out", self.folder / "another.json")
        self.refused("nothing about flag/E10000024/C99", "subject", self.sealed, "--key", self.key, "--person", "flag/E10000024/C99", "--out", self.folder / "another.json")
        self.refused("whom it is about", "subject", self.sealed, "--key", self.key, "--out", self.folder / "another.json")
        self.audit("subject", self.sealed, "--key", self.key, "--family-name", family, "--out", self.folder / "another.json", code=WRONG_USAGE)
        self.keys_are_judged("subject", "--person", "flag/E10000024/C0", "--out", self.folder / "another.json")
        self.assertFalse((self.folder / "another.json").exists() or (self.folder / "another.txt").exists())

    def read_is_logged(self):
        """Every reading that showed something is a consultation of the log, with why; the next export tells them."""
        p = self.partnership
        made = {folder: [json.loads(line) for line in (folder.parent / (folder.name + ".readings")).read_text().splitlines()] for folder in (self.public, self.sealed)}
        for folder, commands in ((self.public, {"prove", "replay", "complete"}), (self.sealed, {"replay", "explain", "decisions", "subject"})):
            self.assertLessEqual(commands, {reading["read"] for reading in made[folder]})
        self.assertEqual({reading["why"] for reading in made[self.sealed]}, {CASE})
        for folder in (self.public, self.sealed):
            self.assertIn(f"told the broker of {len(made[folder])} readings", p.run("flagpost-audit", AUDITOR, "tell-readings", folder))
            self.assertIn("told the broker of 0 readings", p.run("flagpost-audit", AUDITOR, "tell-readings", folder))
        fresh = self.folder / "fresh"
        p.run("flagpost-audit", AUDITOR, "export", "--public", fresh)
        logged = [leaf for leaf in self.replay(fresh, "--agency", AUDITOR) if leaf["kind"] == "consulted" and leaf["outcome"].startswith("reading: ")]
        self.assertEqual(sorted(leaf["outcome"].split()[-1] for leaf in logged), sorted(reading["read"] for folder in made for reading in made[folder]))
        self.assertTrue(all(leaf["operation"] == "consultation" for leaf in logged))


main()
