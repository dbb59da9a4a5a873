#!/usr/bin/python3
"""A school answers nobody: its notice climbs the ladder, the authority's education team answers in its place, and the force sees
the whole story by its own reference. The ladder's times lie before the deadline, so nobody has to wait for a clock."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import children  # noqa: E402
from flagpost import BIN, Failed, Scenario, main, until  # noqa: E402

FORCE, OTHER_FORCE, DUTY, AUDITOR = "police/31", "police/12", "operator/duty", "auditor/audit-office"
CARE, TEAM, SCHOOL = "social-care/E10000024", "education/E10000024", "school/900001"
LADDER = """escalate = [
  {to = "again", before_deadline = "32d"},
  {to = "education", before_deadline = "31d"},
  {to = "sender", before_deadline = "30d"},
]
"""
RULE_OF_THE_TEAM = """
[[share]]
id = "SCH-2"
what = "school_notice"
from = "police"
to = "education"
purpose = "safeguarding"
legal_basis = ["CA2004-s10", "DPA2018-Sch8-4"]
fields = ["child", "incident"]
respond_within = "16h"
retention = "notice"
"""
CONTACTS = "urn,name,role,telephone,email,verified_on\n" + "".join(
    f"900001,{name},{role},01632 960300,{role.lower()}@school-900001.example,2026-11-17\n" for name, role in (("A. First", "DSL"), ("B. Second", "Deputy")))


class Escalation(Scenario):
    agencies = [FORCE, OTHER_FORCE, DUTY, AUDITOR, CARE, TEAM, SCHOOL]

    def setUp(self):
        super().setUp()
        agreement = self.folder / "agreement.toml"
        rules = agreement.read_text().replace('respond_within = "16h"\n', 'respond_within = "16h"\n' + LADDER) + RULE_OF_THE_TEAM
        agreement.write_text(rules)
        self.start_broker()
        for agency in self.agencies:
            self.partnership.config(agency)

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def owe(self):
        p, spool = self.partnership, self.folder / "spool"
        spool.mkdir()
        p.run("flagpost-broker", DUTY, "reference", "load", self.write("contacts.csv", CONTACTS))
        p.run("flagpost-school", SCHOOL, "rolls", "load", self.write("roll.csv", children.roll(children.CHILDREN[:1], 900001)))
        self.write("spool/day.csv", children.incidents(children.CHILDREN[:1], abuse=True))
        p.run("flagpost-police", FORCE, "feed", "--spool", spool, "--once")

    def obligation(self):
        owed = [each for each in self.partnership.json("flagpost-broker", DUTY, "obligations") if each["recipient"] == SCHOOL]
        return owed[0] if owed else None

    def story(self):
        return self.partnership.json("flagpost-police", FORCE, "status", "NP-0")

    def events(self, *kinds):
        return [(event["what"], event["to"]) for event in self.story()["events"] if event["what"] in kinds]

    def test_a_notice_nobody_answers_climbs_until_somebody_does_and_its_sender_sees_it(self):
        p = self.partnership
        self.owe()
        until(lambda: len(self.events("escalated")) == 3, 20, "the ladder is climbed")
        self.assertEqual(self.events("escalated"), [("escalated", "school"), ("escalated", "education"), ("escalated", "police")])
        self.assertEqual(self.story()["state"], "owed", "the end of the ladder is no end")
        self.assertEqual(self.obligation()["with"], FORCE)

        self.kill_broker()  # the story is on disk, and nothing is climbed twice
        self.start_broker()
        self.assertEqual(len(self.events("escalated")), 3)

        p.start("flagpost-school", TEAM, "run")
        [notice] = until(lambda: p.json("flagpost-school", TEAM, "inbox", "list"), 20, "the team has the notice")
        p.run("flagpost-school", TEAM, "inbox", "acknowledge", notice["reference"], "--by", "Jo Wren")
        until(lambda: self.obligation() is None, 20, "it is answered")
        self.assertEqual(self.story()["state"], "closed")
        self.assertEqual(self.events("opened"), [("opened", "education")])

        feed = p.start("flagpost-police", FORCE, "run")
        until(lambda: [each["what"] for each in p.json("flagpost-police", FORCE, "reports")] == ["escalated"] * 3 + ["closed"], 20,
              "the force was told of each step, and that it is settled")
        feed.terminate()
        told = p.run("flagpost-police", FORCE, "reports") + p.run("flagpost-police", FORCE, "status", "NP-0")
        for name in children.CHILDREN[0]:
            self.assertNotIn(name, told, "no child's data comes back")

        for agency, reference in ((OTHER_FORCE, "NP-0"), (FORCE, "NP-1")):  # not theirs, and not there: the same words
            with self.assertRaisesRegex(Failed, "the broker has no incident of this reference from this force"):
                p.run("flagpost-police", agency, "status", reference)

        export = self.folder / "export"
        p.run("flagpost-audit", AUDITOR, "export", "--public", export)
        self.assertIn("1 notices were issued, 1 are closed, 0 are open", p.call(BIN / "flagpost-audit", "complete", export))


main()
