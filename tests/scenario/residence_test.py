#!/usr/bin/python3
"""A force attends an incident in which a child of another force's area is named: the child's school is told at once, and so is the
force whose duty it is (Domestic Abuse Act 2021, s.49A), which takes it on by name."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import children  # noqa: E402
from flagpost import BIN, Failed, Scenario, main, until  # noqa: E402

FORCE, OTHER_FORCE, DUTY, AUDITOR = "police/31", "police/30", "operator/duty", "auditor/audit-office"
CARE, SCHOOL = "social-care/E10000024", "school/900001"
RULE = """
[[share]]
id = "RES-1"
what = "school_notice"
from = "police"
to = "police"
purpose = "safeguarding"
legal_basis = ["DAA2021-s49A", "DPA2018-Sch8-4"]
fields = ["child", "incident", "police_contact"]
respond_within = "12h"
retention = "notice"
"""
GIAS = "URN,LA (code),EstablishmentName,EstablishmentStatus (code),Postcode,GSSLACode (name)\n" \
       "900001,891,Norham Primary,1,NG7 2RD,E10000024\n900002,830,Derby Primary,1,DE1 2AA,E10000007\n"


class Residence(Scenario):
    agencies = [FORCE, OTHER_FORCE, DUTY, AUDITOR, CARE, SCHOOL]
    areas = {FORCE: ["E10000024"], OTHER_FORCE: ["E10000007"]}
    more_rules = RULE

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def test_the_force_of_residence_is_told_and_takes_it_on(self):
        p = self.partnership
        p.call(BIN / "flagpost-broker", "agreement", "check", p.agreement)
        self.start_broker()
        for agency in self.agencies:
            p.config(agency)
        p.run("flagpost-broker", DUTY, "reference", "load", self.write("gias.csv", GIAS))
        p.run("flagpost-school", SCHOOL, "rolls", "load", self.write("roll.csv", children.roll(children.CHILDREN[:2], 900001)))
        day = children.incidents(children.CHILDREN[:2], abuse=True, homes=["DE1 9ZZ", "NG7 9ZZ"])
        (self.folder / "spool").mkdir()
        self.write("spool/day.csv", day)
        p.run("flagpost-police", FORCE, "feed", "--spool", self.folder / "spool", "--once")

        def owed():
            return sorted(each["topic"] for each in p.json("flagpost-broker", DUTY, "obligations"))
        self.assertEqual(owed(), ["notices/police/30"] + ["notices/school/900001"] * 2)

        daemon = p.start("flagpost-police", OTHER_FORCE, "run")
        p.start("flagpost-school", SCHOOL, "run")
        found = until(lambda: p.json("flagpost-police", OTHER_FORCE, "handovers", "list"), 60, "it was handed over")
        self.assertEqual([(each["given_names"], each["attended_by"], each["incident_reference"], each["urn"]) for each in found],
                         [("Amelia Rose", "31", "NP-0", 900001)])
        reference = found[0]["reference"]
        screen = p.run("flagpost-police", OTHER_FORCE, "handovers", "show", reference)
        for words in ("Handed over by police force 31", "Amelia Rose Ravenscroft", "Norham Primary, URN 900001", "told directly", "your force's duty"):
            self.assertIn(words, " ".join(screen.split()))
        self.assertNotIn("Oak Road", screen)
        with self.assertRaises(Failed):
            p.run("flagpost-police", OTHER_FORCE, "handovers", "show", "FP-0000-0000")
        self.hidden_from_who_is_on_the_conflict_list(reference)
        p.run("flagpost-police", OTHER_FORCE, "handovers", "acknowledge", reference, "--by", "P. Officer")
        until(lambda: owed() == ["notices/school/900001"] * 2, 30, "it is taken on")
        self.assertEqual(p.json("flagpost-police", OTHER_FORCE, "handovers", "list"), [])
        self.assertEqual(p.json("flagpost-police", FORCE, "handovers", "list", "--all"), [])
        daemon.terminate()
        daemon.wait(60)

        # Neither agency has been told whom the other keeps from the case.
        boxes = {agency: b"".join(file.read_bytes() for file in self.folder.rglob(f"*{agency.replace('/', '-')}*") if file.is_file())
                 for agency in (OTHER_FORCE, SCHOOL)}
        self.assertIn(b"Pat Constantine", boxes[OTHER_FORCE])
        self.assertIn(b"Terry Chalkley", boxes[SCHOOL])
        self.assertNotIn(b"Chalkley", boxes[OTHER_FORCE])
        self.assertNotIn(b"Constantine", boxes[SCHOOL])

        issued = [leaf for leaf in self.leaves(AUDITOR, "notice_issued") if leaf["recipient"] == OTHER_FORCE]
        self.assertEqual([(leaf["rule"], leaf["operation"], leaf["topic"]) for leaf in issued], [("RES-1", "disclosure", "notices/police/30")])

    def hidden_from_who_is_on_the_conflict_list(self, reference):
        p = self.partnership
        for number, (person, works_for) in enumerate({"Pat Constantine": OTHER_FORCE, "Terry Chalkley": SCHOOL}.items()):
            p.run("flagpost-police", FORCE, "conflict", "incident/31/NP-0", "--person", person, "--works-for", works_for, "--by",
                  "D. Superintendent", "--reason", "relative", "--reference", f"CON-{number}")

        def handovers(*options):
            return p.json("flagpost-police", OTHER_FORCE, "handovers", "list", *options)
        until(lambda: [set(each) for each in handovers()] == [{"item", "conflict_list"}], 60, "the conflict list is known")
        until(lambda: [each for each in p.json("flagpost-school", SCHOOL, "inbox", "list") if "conflict_list" in each], 60, "the school knows its own")
        self.assertIn("1 more has a conflict list", p.run("flagpost-police", OTHER_FORCE, "handovers", "list"))
        self.assertEqual(handovers("--by", "pat.constantine"), [])
        self.assertEqual([each["reference"] for each in handovers("--by", "Jo Sergeant")], [reference])
        for options in ([], ["--by", "P. Constantine"]):
            with self.assertRaises(Failed):
                p.run("flagpost-police", OTHER_FORCE, "handovers", "show", reference, *options)
        self.assertIn("Amelia Rose", p.run("flagpost-police", OTHER_FORCE, "handovers", "show", reference, "--by", "Jo Sergeant"))
        with self.assertRaises(Failed):
            p.run("flagpost-police", OTHER_FORCE, "handovers", "acknowledge", reference, "--by", "Pat Constantine")


main()
