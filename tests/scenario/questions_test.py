#!/usr/bin/python3
"""A social worker asks police about a notice; a named officer answers; the answer stands under the notice, and nobody else has it.
Real broker, real programs, real pages."""

import contextlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import children  # noqa: E402
from flagpost import Failed, Scenario, main, until  # noqa: E402
from pages import Browser  # noqa: E402

FORCE, OTHER_FORCE, DUTY, AUDITOR = "police/31", "police/12", "operator/duty", "auditor/audit-office"
CARE, CITY = "social-care/E10000024", "social-care/E06000018"
TEXT, ANSWER = "Was anybody else in the house?", "Her aunt was; she has gone home since."


class Questions(Scenario):
    agencies = [FORCE, OTHER_FORCE, DUTY, AUDITOR, CARE, CITY]

    def setUp(self):
        super().setUp()
        self.start_broker()
        p = self.partnership
        for agency in self.agencies:
            p.config(agency, **({"people": "people.toml", "organisation": "Norham County Council", "practice": True} if agency == CARE else {}))
        (self.folder / "flags.csv").write_text(children.flags(children.CHILDREN[:2], worker="Sam Patel"))
        p.run("flagpost-social-care", CARE, "flags", "load", self.folder / "flags.csv")
        spool = self.folder / "spool"
        spool.mkdir()
        (spool / "day.csv").write_text(children.incidents(children.CHILDREN[:2]))
        p.run("flagpost-police", FORCE, "feed", "--spool", spool, "--once")

    def owed(self, topic):
        return [each for each in self.partnership.json("flagpost-broker", DUTY, "obligations") if each["topic"] == topic]

    @contextlib.contextmanager
    def online(self, program, agency):
        daemon = self.partnership.start(program, agency, "run")
        try:
            yield
        finally:
            daemon.terminate()
            daemon.wait(60)

    def fetched(self, program, agency, *command, count=1):
        """What a list says once the program has been online for a moment."""
        with self.online(program, agency):
            def found():
                items = self.partnership.json(program, agency, *command)
                return items if len(items) == count else None
            return until(found, 60, f"{agency} has {count}")

    def test_on_the_terminal_there_and_back(self):
        p = self.partnership
        inbox = self.fetched("flagpost-social-care", CARE, "inbox", "list", count=2)
        mine, other = (each["reference"] for each in inbox)
        asked = p.json("flagpost-social-care", CARE, "inbox", "ask", mine, "--by", "Sam Patel", "--about", "people", "--text", TEXT)
        self.assertEqual(asked["result"], "asked")
        with self.assertRaises(Failed):
            p.run("flagpost-social-care", CARE, "inbox", "ask", "FP-0000-0000", "--by", "Sam Patel", "--about", "people", "--text", TEXT)
        self.assertEqual([each["recipient"] for each in self.owed("questions/31")], [FORCE])

        question = self.fetched("flagpost-police", FORCE, "questions", "list")[0]
        self.assertEqual((question["text"], question["by"], question["asked_by"], question["incident_reference"]), (TEXT, "Sam Patel", CARE, inbox[0]["incident_reference"]))
        self.assertIn("Asked by Sam Patel, " + CARE, p.run("flagpost-police", FORCE, "questions", "list"))
        self.assertIn(TEXT, p.run("flagpost-police", FORCE, "questions", "show", question["reference"]))
        self.assertEqual(p.json("flagpost-police", OTHER_FORCE, "questions", "list"), [])
        self.an_officer_who_is_party_to_the_case_sees_nothing(question)
        p.run("flagpost-police", FORCE, "questions", "answer", question["reference"], "--by", "P. Officer", "--outcome", "answered", "--text", ANSWER)
        with self.assertRaises(Failed):
            p.run("flagpost-police", FORCE, "questions", "answer", question["reference"], "--by", "Q. Officer", "--outcome", "answered", "--text", "No.")
        self.assertEqual(p.json("flagpost-police", FORCE, "questions", "list"), [])
        self.assertEqual(p.json("flagpost-police", FORCE, "questions", "list", "--all", "--by", "P. Officer")[0]["answer"], ANSWER)
        until(lambda: not self.owed("questions/31"), 30, "the question is closed")

        def answered():
            found = p.json("flagpost-social-care", CARE, "inbox", "show", mine)["questions"][0]
            return found["answer"] and found
        with self.online("flagpost-social-care", CARE):
            found = until(answered, 60, "the answer came back")
        self.assertEqual((found["state"], found["answer"]["text"], found["answer"]["by"]), ("answered", ANSWER, "P. Officer"))
        self.assertIn(ANSWER, p.run("flagpost-social-care", CARE, "inbox", "show", mine))
        self.assertNotIn("questions", p.json("flagpost-social-care", CARE, "inbox", "show", other))
        self.assertEqual(len([each for each in self.owed("notices/social-care/E10000024") if each["state"] == "stored"]), 3, "two notices and an answer nobody opened")
        p.run("flagpost-social-care", CARE, "inbox", "acknowledge", question["reference"], "--by", "Sam Patel")
        until(lambda: len(self.owed("notices/social-care/E10000024")) == 2, 30, "the answer was opened")

        leaves = self.leaves(AUDITOR, "published", "notice_issued", "recorded", "opened")
        self.assertNotIn(ANSWER, str(leaves))
        issued = [(leaf["recipient"], leaf["outcome"], leaf["operation"], leaf["rule"]) for leaf in leaves if leaf["kind"] == "notice_issued" and leaf["rule"].startswith("ASK")]
        self.assertEqual(issued, [(FORCE, "question", "disclosure", "ASK-1"), (CARE, "answer", "disclosure", "ASK-2")])
        taken = [(leaf["kind"], leaf["outcome"]) for leaf in leaves if leaf["operation"] == "collection" and leaf.get("outcome") in ("people", "answered")]
        self.assertEqual(taken, [("published", "people"), ("recorded", "answered")])

    def an_officer_who_is_party_to_the_case_sees_nothing(self, question):
        p, reference = self.partnership, question["reference"]
        p.run("flagpost-police", FORCE, "conflict", f"incident/31/{question['incident_reference']}", "--person", "Lou Party", "--works-for", FORCE,
              "--by", "Chief", "--reason", "party", "--reference", "CASE-1")
        with self.online("flagpost-police", FORCE):
            until(lambda: "conflict_list" in p.json("flagpost-police", FORCE, "questions", "list")[0], 60, "the list is known here")
        self.assertNotIn(reference, p.run("flagpost-police", FORCE, "questions", "list"))
        for command in (["show", reference], ["show", reference, "--by", "Lou Party"],
                        ["answer", reference, "--by", "Lou Party", "--outcome", "answered", "--text", "Nothing."]):
            with self.assertRaises(Failed):
                p.run("flagpost-police", FORCE, "questions", *command)
        self.assertEqual(p.json("flagpost-police", FORCE, "questions", "list", "--by", "Lou Party"), [])
        self.assertIn(TEXT, p.run("flagpost-police", FORCE, "questions", "show", reference, "--by", "P. Officer"))

    def test_on_the_page(self):
        p = self.partnership
        person = p.json("flagpost-social-care", CARE, "people", "add", "sam", "--called", "Sam Patel", "--role", "worker")
        _, url = p.serve_pages("flagpost-social-care", CARE)
        sam = Browser(url)
        sam.sign_in("sam", person["password"], person["code_secret"])
        link = until(lambda: next((each for each in sam.get("/inbox").links() if each.startswith("/notices/")), None), 60, "a notice")
        form = sam.get(link + "/ask")
        self.assertIn("Ask police a question", form.words)
        self.assertEqual(sam.post(form, link + "/ask", about="people", text="").status, 422)
        self.assertEqual(sam.post(form, link + "/ask", about="people", text=TEXT).status, 303)
        self.assertEqual(sam.post(form, link + "/ask", about="people", text=TEXT).status, 303, "a double click")
        until(lambda: "No answer yet." in sam.get(link).words, 60, "the broker has it")
        question = self.fetched("flagpost-police", FORCE, "questions", "list")
        self.assertEqual(len(question), 1)
        p.run("flagpost-police", FORCE, "questions", "answer", question[0]["reference"], "--by", "P. Officer", "--outcome", "partly", "--text", ANSWER)
        until(lambda: "Police answered" in sam.get("/inbox").words, 60, "the inbox says so")
        self.assertIn(ANSWER, sam.get(link).words)
        until(lambda: "Police answered" not in sam.get("/inbox").words, 30, "it was opened")
        until(lambda: len(self.owed("notices/social-care/E10000024")) == 2, 30, "and the broker knows")


main()
