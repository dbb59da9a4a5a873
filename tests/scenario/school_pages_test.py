#!/usr/bin/python3
"""A school's notice on its pages: opened by its deputy, recorded, known to the broker; and people are told to look, with nothing else.
Real broker, real pages, a mail server that fails first."""

import datetime
import pathlib
import re
import socketserver
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import children  # noqa: E402
from flagpost import Failed, Scenario, main, until  # noqa: E402
from pages import Browser  # noqa: E402

FORCE, DUTY, TRUST, AUDITOR = "police/31", "operator/duty", "trust/forest", "auditor/audit-office"
OAK, ELM = "school/900001", "school/900002"
GIAS = ("URN,EstablishmentName,EstablishmentStatus (code),LA (code),GSSLACode (name)\n"
        "900001,Oak Primary School,1,891,E10000024\n900002,Elm Academy,1,891,E10000024\n")


class MailServer(socketserver.ThreadingTCPServer):
    """SMTP (RFC 5321) as far as a client needs it; refuses for now whatever comes before `works`."""
    daemon_threads = allow_reuse_address = True

    def __init__(self):
        self.works, self.refused, self.letters = False, 0, []
        super().__init__(("127.0.0.1", 0), Conversation)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class Conversation(socketserver.StreamRequestHandler):
    def say(self, words):
        self.wfile.write(words.encode() + b"\r\n")

    def handle(self):
        said, to = [], []
        self.say("220 mail.school.example")
        for line in self.rfile:
            line = line.decode().rstrip("\r\n")
            said.append(line)
            word = line.split(" ")[0].upper()
            if word == "MAIL" and not self.server.works:
                self.server.refused += 1
                self.say("451 later")
            elif word == "DATA":
                self.say("354 go on")
                text = []
                while (part := self.rfile.readline().decode()) != ".\r\n":
                    text.append(part)
                said += text
                self.server.letters.append({"to": to, "text": "".join(text), "all": "\n".join(said)})
                self.say("250 taken")
            elif word == "QUIT":
                return self.say("221 bye")
            else:
                if word == "RCPT":
                    to.append(re.search("<(.*?)>", line).group(1))
                self.say("250 mail.school.example")


class SchoolPages(Scenario):
    agencies = [FORCE, DUTY, AUDITOR, OAK, ELM, TRUST]
    acts_for = {TRUST: [OAK, ELM]}

    def setUp(self):
        super().setUp()
        self.start_broker()
        p = self.partnership
        self.mail = MailServer()
        self.addCleanup(self.mail.server_close)
        self.addCleanup(self.mail.shutdown)
        for agency in self.agencies:
            p.config(agency)
        p.config(TRUST, topics=["notices/school/900001", "notices/school/900002", f"results/{TRUST}"], people="people.toml", organisation="Forest Trust",
                 practice=True, notify_smtp=self.mail.address, notify_from="flagpost@school.example", notify_to="dsl@school.example, deputy@school.example")
        self.people = {name: p.json("flagpost-school", TRUST, "people", "add", name, "--called", called, "--role", role, *more)
                       for name, called, role, more in (("jo", "Jo Wren", "dsl", ["--school", "900001"]), ("kit", "Kit Bell", "deputy", ["--school", "900001"]),
                                                        ("eli", "Eli Moss", "dsl", ["--school", "900002"]),
                                                        ("lea", "Lea Dale", "lead", ["--school", "900001", "--school", "900002"]))}
        (self.folder / "gias.csv").write_text(GIAS)
        p.run("flagpost-broker", DUTY, "reference", "load", self.folder / "gias.csv")
        (self.folder / "roll.csv").write_text(children.roll(children.CHILDREN[:1], 900001))
        p.run("flagpost-school", OAK, "rolls", "load", self.folder / "roll.csv")
        self.daemon, self.url = p.serve_pages("flagpost-school", TRUST)

    def feed(self):
        spool = self.folder / "spool"
        spool.mkdir()
        (spool / "day.csv").write_text(children.incidents(children.CHILDREN[:1], abuse=True))
        self.partnership.run("flagpost-police", FORCE, "feed", "--spool", spool, "--once")

    def open(self):
        return [each for each in self.partnership.json("flagpost-broker", DUTY, "obligations") if each["recipient"] == OAK]

    def signed_in(self, name):
        browser, person = Browser(self.url), self.people[name]
        inbox = browser.sign_in(name, person["password"], person["code_secret"])
        self.assertEqual(inbox.status, 200, inbox.text)
        return browser

    def notice(self, browser):
        def link():
            return [each for each in browser.get("/inbox").links() if each.startswith("/notices/")]
        return until(link, 60, "the inbox shows the notice")[0]

    def test_a_deputy_opens_and_records_and_the_broker_knows(self):
        self.feed()
        lead = self.signed_in("lea")
        link = self.notice(lead)
        self.assertIn("You are not one of this school's contacts", lead.get(link).words)
        self.assertEqual(len(self.open()), 1, "a lead's look stops no clock")
        other = self.signed_in("eli")
        self.assertNotIn("/notices/", other.get("/inbox").text)
        self.assertEqual(other.get(link).status, 404)

        kit = self.signed_in("kit")
        self.assertIn(kit.get(link, headers={"Sec-Purpose": "prefetch"}).status, (503, 405))
        self.assertIn(kit.request("HEAD", link).status, (503, 405))
        self.assertEqual(len(self.open()), 1, "prefetching and HEAD are no looking")
        page = kit.get(link)
        self.assertIn("Do not approach parents or carers because of this notice.", page.words)
        self.assertIn("Other children in this incident who attend other schools are not shown.", page.words)
        for shown in (page, kit.get(link + "/print"), kit.get("/inbox")):
            for hidden in ("Oak Road", "S80 1AB", "Katherine", "Shouting heard"):  # an address, an adult, what the template leaves out
                self.assertNotIn(hidden, shown.text)
        until(lambda: not self.open(), 30, "the broker knows that it was opened")
        closed = kit.follow(kit.post(page, link + "/record", outcome="quiet_support"))
        self.assertIn("Recorded. This notice is closed.", closed.words)
        until(lambda: "Received by Flagpost" in kit.get(link).words, 30, "the broker has taken what was recorded")
        [recorded] = until(lambda: self.leaves(AUDITOR, "recorded"), 10, "the log holds it")
        self.assertEqual(recorded["outcome"], "quiet_support")
        self.assertIn("Quiet support", kit.get("/done").words)

    def test_the_terminal_records_as_well(self):
        self.feed()
        p = self.partnership
        [notice] = until(lambda: p.json("flagpost-school", TRUST, "inbox", "list"), 60, "the notice is there")
        self.assertIn("1, of these overdue: 0", p.run("flagpost-school", TRUST, "status"))
        p.run("flagpost-school", TRUST, "inbox", "record", notice["reference"], "--by", "Kit Bell", "--outcome", "already_supported")
        until(lambda: [each["outcome"] for each in self.leaves(AUDITOR, "recorded")] == ["already_supported"], 30, "the log holds it")
        self.assertIn("Not read yet: 0", p.run("flagpost-school", TRUST, "status"))

    def test_a_letter_says_that_there_is_something_and_nothing_else(self):
        self.feed()
        p, kit = self.partnership, self.signed_in("kit")
        reference = self.notice(kit).split("/")[-1]
        until(lambda: self.mail.refused >= 2, 60, "the letter was tried, and tried again")
        self.assertEqual(self.mail.letters, [])
        self.assertIn("Nobody could be told outside Flagpost that there is a new notice since", kit.get("/inbox").words)
        self.assertIn("answer 451", p.run("flagpost-school", TRUST, "status"))
        self.mail.works = True
        until(lambda: self.mail.letters, 60, "the letter is taken")
        until(lambda: "Nobody could be told" not in kit.get("/inbox").words, 30, "the failure is over")
        self.assertIsNotNone(p.json("flagpost-school", TRUST, "status")["told"])
        [letter] = self.mail.letters
        self.assertEqual(letter["to"], ["dsl@school.example", "deputy@school.example"])
        head, body = letter["text"].split("\r\n\r\n", 1)
        self.assertEqual(body, "You have a new notice in Flagpost. Sign in as you usually do.\r\n")
        self.assertIn("Subject: Flagpost\r\n", head)
        given, family, born = children.CHILDREN[0]
        for word in (given, family, born, reference, "NP-0", "900001", "Oak", self.url, "http"):
            self.assertNotIn(word, letter["all"])
        self.assertNotIn(family, (self.folder / "trust-forest.log").read_text())

        self.daemon.terminate()
        self.daemon.wait()
        self.daemon, self.url = p.serve_pages("flagpost-school", TRUST)
        kit = self.signed_in("kit")
        until(lambda: "Connected." in kit.get("/inbox").words, 30, "the school is back")
        (self.folder / "spool" / "next.csv").write_text(children.incidents(children.CHILDREN[:1], prefix="NQ", abuse=True))
        p.run("flagpost-police", FORCE, "feed", "--spool", self.folder / "spool", "--once")
        until(lambda: len(self.mail.letters) > 1, 90, "the second notice is told of")
        self.assertEqual(len(self.mail.letters), 2, "and the first not again after a restart")

    def test_contacts_and_terms_are_the_school_s_own_and_checked_on_the_page(self):
        p, day = self.partnership, datetime.date.today()
        long_ago = (day - datetime.timedelta(days=70)).isoformat()
        contacts, terms = self.folder / "contacts.csv", self.folder / "terms.csv"
        head = "Name,Role,Telephone,Email,VerifiedOn\n"
        contacts.write_text(head + f"Amy First,DSL,01632 960301,,{long_ago}\n")
        with self.assertRaisesRegex(Failed, "A school needs 2 to 50 contacts; the file has 1. Nothing was sent."):
            p.run("flagpost-school", TRUST, "contacts", "load", contacts, "--urn", "900001")
        contacts.write_text(head + f"Amy First,DSL,01632 960301,,{long_ago}\nBen Second,Deputy,01632 960302,,{long_ago}\nEve Wrong,Deputy,,,{long_ago}\n")
        with self.assertRaisesRegex(Failed, "Rows that are wrong: 1. Nothing was sent."):
            p.run("flagpost-school", TRUST, "contacts", "load", contacts, "--urn", "900001")
        contacts.write_text(head + f"Amy First,DSL,01632 960301,,{long_ago}\nBen Second,Deputy,01632 960302,,{long_ago}\n")
        self.assertIn("all records were loaded", p.run("flagpost-school", TRUST, "contacts", "load", contacts, "--urn", "900001"))
        with self.assertRaisesRegex(Failed, "900001 is another school's"):
            p.run("flagpost-school", ELM, "contacts", "load", contacts, "--urn", "900001")
        terms.write_text(f"FirstDay,LastDay,DayStarts,Closed\n{long_ago},{(day + datetime.timedelta(days=100)).isoformat()},07:15,\n")
        p.run("flagpost-school", TRUST, "terms", "load", terms, "--urn", "900001")

        self.feed()
        kit = self.signed_in("kit")
        link = self.notice(kit)
        self.assertIn("Amy First", kit.get("/inbox").words, "the notice is addressed to the first of the contacts")
        [notice] = p.json("flagpost-school", TRUST, "inbox", "list")
        self.assertRegex(notice["read_by"], "T0[67]:15:00Z$", "by the start of the school's own day")
        self.assertIn("Your contacts were last checked more than 60 days ago.", kit.get("/inbox").words)

        page = kit.get("/contacts")
        action = "/contacts/900001/confirm"
        for name in ("Amy First", "Ben Second"):
            def taken():
                return "Not yet received by Flagpost" not in kit.get("/contacts").words
            form = page.form(action) | {"name": name}
            self.assertEqual(kit.request("POST", action, form).status, 303)
            until(taken, 30, "the broker has the list")
        self.assertNotIn("did not accept", kit.get("/contacts").words)
        self.assertNotIn("last checked more", kit.get("/inbox").words)
        self.assertEqual([each["verified_on"] for each in p.json("flagpost-school", TRUST, "contacts", "list", "--urn", "900001")], [day.isoformat()] * 2)
        self.assertIn("all records were loaded", p.run("flagpost-school", TRUST, "contacts", "load", contacts, "--urn", "900001"),
                      "a list from a file goes on from what the page sent")
        self.assertEqual(self.signed_in("eli").request("POST", action, kit.get("/contacts").form(action)).status, 400)
        self.assertEqual(kit.get(link).status, 200)


main()
