#!/usr/bin/python3
"""An auditor signs in with a browser, sees what was shared and what nobody has closed, and the log knows that she looked. Real broker,
real export, real pages."""

import json
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import children  # noqa: E402
from flagpost import BIN, Scenario, main, until  # noqa: E402
from pages import Browser  # noqa: E402

FORCE, DUTY, CARE, AUDITOR = "police/31", "operator/duty", "social-care/E10000024", "auditor/audit-office"


class AuditDesk(Scenario):
    agencies = [FORCE, DUTY, CARE, AUDITOR]

    def setUp(self):
        super().setUp()
        self.start_broker()
        p = self.partnership
        for agency in self.agencies:
            p.config(agency, **({"people": "people.toml", "organisation": "Audit office", "practice": True, "help": "01632 960100"} if agency == AUDITOR else {}))
        self.jo = p.json("flagpost-audit", AUDITOR, "people", "add", "jo", "--called", "Jo Wren")
        (self.folder / "flags.csv").write_text(children.flags(children.CHILDREN[:2]))
        p.run("flagpost-social-care", CARE, "flags", "load", self.folder / "flags.csv")
        p.start("flagpost-social-care", CARE, "run")
        spool = self.folder / "spool"
        spool.mkdir()
        (spool / "day.csv").write_text(children.incidents(children.CHILDREN[:2]))
        p.run("flagpost-police", FORCE, "feed", "--spool", spool, "--once")
        self.inbox = until(lambda: (found := p.json("flagpost-social-care", CARE, "inbox", "list")) and len(found) == 2 and found, 60, "two notices are in the inbox")
        self.export = self.folder / "export"
        vkey = (self.pki / "broker" / "log.vkey").read_text().strip()
        witness = (self.identity(CARE) / "witness.vkey").read_text().strip()
        (self.folder / "policy.txt").write_text(f"log {vkey}\nwitness care {witness}\nquorum care\n")
        self.record(self.inbox[0])
        self.take_export()

    def record(self, notice):
        p = self.partnership
        p.run("flagpost-social-care", CARE, "inbox", "record", notice["reference"], "--by", "Sam Patel", "--outcome", "contacted")
        left = 1 if notice is self.inbox[0] else 0
        until(lambda: len(p.json("flagpost-broker", DUTY, "obligations")) == left, 30, "the notice is closed")

    def take_export(self):
        p = self.partnership
        if not (self.folder / "seal.key").exists():
            p.sealed_export(AUDITOR, self.export)
        p.run("flagpost-audit", AUDITOR, "export", "--sealed", self.export, "--scope", "all", "--for", self.folder / "seal.pub", "--reason", "practice",
              "--policy", self.folder / "policy.txt")

    def whole(self, browser, path):
        """The page once it is no longer one of work under way."""
        return until(lambda: (page := browser.get(path)).headers["Refresh"] is None and page, 60, f"{path} is whole")

    def test_an_auditor_follows_what_was_shared_and_is_written_down(self):
        p = self.partnership
        daemon, url = p.serve_pages("flagpost-audit", AUDITOR, self.export, "--policy", self.folder / "policy.txt", "--key", self.folder / "seal.key",
                                    "--listen", "127.0.0.1:0")
        stranger = Browser(url)
        self.assertEqual(stranger.get("/audit").headers["Location"], "/sign-in")
        jo = Browser(url)
        first = jo.sign_in("jo", self.jo["password"], self.jo["code_secret"])
        self.assertIn("Jo Wren, auditor, Audit office", first.words)
        overview = self.whole(jo, "/audit")
        self.assertIn("The log verifies.", overview.words)
        self.assertIn("Checked on this machine, not by the broker.", overview.words)
        self.assertIn("1 of 1 witness: care", overview.words)
        self.assertIn("2 the same, 0 differ", overview.words)
        self.assertIn("2 were issued, 1 are closed, 1 are open", overview.words)
        self.assertNotIn("No connection", overview.words)

        opened = self.whole(jo, "/audit/open")
        self.assertIn("Not closed by anybody (1)", opened.words)
        self.assertIn(CARE, opened.words)
        timeline = jo.get("/audit/timeline?agency=police/31")
        self.assertIn("police/31 published an incident on incidents/31", timeline.words)
        entry = next(link for link in timeline.links() if link.startswith("/audit/entries/") and not link.endswith("proof"))
        for name in ("proof", "leaf"):
            (self.folder / name).write_bytes(jo.get(f"{entry}/{name}").body)
        self.assertIn("proven: these bytes are entry", p.call(BIN / "flagpost-audit", "check", self.folder / "proof", self.folder / "leaf",
                                                              "--policy", self.folder / "policy.txt"))
        published = next(json.loads(line) for line in p.call(BIN / "flagpost-audit", "replay", self.export, "--json").splitlines()
                         if json.loads(line)["kind"] == "published" and json.loads(line)["topic"] == "incidents/31")
        why = self.whole(jo, f"/audit/explain/{published['index']}")
        self.assertIn("under rule SC-1", why.words)
        self.assertRegex(why.words, r"flag/E10000024/\S+ : Match")
        self.assertIn("Made again The same", why.words)
        self.assertEqual(jo.get("/audit/entries/9999999").status, 404)

        self.record(self.inbox[1])
        self.take_export()
        self.assertIn("The export has changed since.", jo.get("/audit").words)
        again = jo.follow(jo.post(jo.get("/audit"), "/audit/check"))
        self.assertEqual(again.status, 200)
        until(lambda: "2 are closed, 0 are open" in jo.get("/audit").words, 60, "the new export is checked")
        self.assertRegex(jo.get("/audit").words, r"Yes: the \S+ entries verified here before are all in it, unchanged")
        self.the_log_knows()

        entries = max((self.export / "tile" / "entries").iterdir())
        if entries.is_dir():
            entries = next(entries.iterdir())
        bytes_there = bytearray(entries.read_bytes())
        bytes_there[len(bytes_there) // 2] ^= 1
        entries.chmod(0o600)
        entries.write_bytes(bytes_there)
        jo.post(jo.get("/audit"), "/audit/check")
        until(lambda: "The log does not verify." in jo.get("/audit").words, 60, "the damage is found")
        self.assertRegex(jo.get("/audit").words, r"First bad entry: \S+\. Do not rely on anything after it\. Keep this export\. Tell: 01632 960100\.")

        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(30), 0)

    def the_log_knows(self):
        """Each page read becomes a consultation when the broker is next reached, without the reader's name."""
        p = self.partnership
        p.run("flagpost-audit", AUDITOR, "tell-readings", self.export)
        after = self.folder / "after"
        p.run("flagpost-audit", AUDITOR, "export", "--public", after)
        read = [leaf["outcome"] for leaf in map(json.loads, p.call(BIN / "flagpost-audit", "replay", after, "--json").splitlines()) if leaf["kind"] == "consulted"]
        for page in ("overview", "open", "timeline", "explain", "proof"):
            self.assertTrue(any(words.startswith("reading: ") and words.endswith(" " + page) for words in read), (page, read))
        self.assertFalse([words for words in read if "jo" in words.lower()])

    def test_without_a_key_the_desk_says_what_it_cannot_see(self):
        p = self.partnership
        _, url = p.serve_pages("flagpost-audit", AUDITOR, self.export, "--policy", self.folder / "policy.txt", "--listen", "127.0.0.1:0")
        jo = Browser(url)
        jo.sign_in("jo", self.jo["password"], self.jo["code_secret"])
        overview = self.whole(jo, "/audit")
        self.assertIn("This desk holds no key, so bodies stay shut", overview.words)
        refused = jo.get("/audit/explain?incident=31/anything")
        self.assertEqual(refused.status, 422)
        self.assertIn("references stand in bodies, which are not open to this desk", refused.words)

    def test_a_key_of_another_or_a_public_export_with_a_key_is_wrong_usage(self):
        p = self.partnership
        other = self.folder / "other.key"
        p.call("openssl", "genpkey", "-algorithm", "X25519", "-out", other)
        other.chmod(0o600)
        self.assertIn("was sealed to another key", self.refused("serve", self.export, "--vkey", self.pki / "broker" / "log.vkey", "--key", other))
        self.assertIn("--listen: should be address:port", self.refused("serve", self.export, "--vkey", self.pki / "broker" / "log.vkey", "--listen", "nowhere"))

    def refused(self, *arguments):
        from partnership import Failed
        with self.assertRaises(Failed) as caught:
            self.partnership.run("flagpost-audit", AUDITOR, *arguments, wait_s=60)
        return str(caught.exception)


main()
