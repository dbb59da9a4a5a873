"""Plays a sample county through a partnership's real processes and compares what was told with the truth file."""

import collections
import csv
import json
import pathlib
import shutil

from partnership import SOURCE, Failed, Partnership, until  # noqa: F401 (until is used by callers)

POLICE, OPERATOR, AUDITOR, TRUST = "police/31", "operator/duty", "auditor/audit-office", "trust/forest"
AUTHORITIES = ["E10000024", "E06000018"]


def make(folder, seed, scale="nottinghamshire", month=False, days=None):
    """The county's files, made once per seed and scale."""
    folder = pathlib.Path(folder)
    done = folder / "made.txt"
    wanted = f"{seed} {scale} {month} {days} {(SOURCE / 'tools' / 'make-county').stat().st_mtime_ns}\n"
    if not done.exists() or done.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        Partnership.call(SOURCE / "tools" / "make-county", "--seed", seed, "--scale", scale, "--out", folder, *(["--month"] if month else []),
                         *(["--days", days] if days else []))
        done.write_text(wanted)
    return folder


class County:
    def __init__(self, files, folder, pki=None):
        self.files = pathlib.Path(files)
        agencies = (self.files / "agencies.txt").read_text().split()
        self.partnership = Partnership(folder, agencies, self.files / "agreement.toml", pki)
        self.schools = json.loads((self.files / "schools.json").read_text())
        self.spool = self.partnership.folder / "spool"
        self.spool.mkdir(exist_ok=True)

    # Who runs which adapter: (program, agency)
    def inboxes(self):
        social = [("flagpost-social-care", f"social-care/{la}") for la in AUTHORITIES]
        schools = [("flagpost-school", f"school/{urn}") for urn in self.schools["own"]]
        return social + schools + [("flagpost-school", TRUST)]

    def write_configs(self):
        p = self.partnership
        for _, agency in self.inboxes():
            p.config(agency, **self.topics_of(agency))
        p.config(POLICE, markers="gazetteer")
        (p.folder / "gazetteer").mkdir(exist_ok=True)
        for agency in [OPERATOR, AUDITOR] + [f"education/{la}" for la in AUTHORITIES]:
            p.config(agency)

    def start(self, pages=False):
        """`pages`: every inbox is served to browsers, too; then self.pages is {agency: (address, sign-in)}."""
        self.partnership.start_broker()
        self.write_configs()
        self.partnership.start("flagpost-police", POLICE, "run")
        self.pages = {}
        for program, agency in self.inboxes():
            if pages:
                self.pages[agency] = self.serve_pages(program, agency)
            else:
                self.partnership.start(program, agency, "run")

    def serve_pages(self, program, agency):
        p = self.partnership
        p.config(agency, **self.topics_of(agency), people=f"{agency.replace('/', '-')}.people.toml", organisation=agency, practice=True,
                 help="the demo has no telephone", force_desk="the demo's police force, which has no telephone")
        who = ["sam.patel", "--called", "Sam Patel", "--role", "duty"]
        if program == "flagpost-school":
            who = ["jo.wren", "--called", "Jo Wren", "--role", "dsl"]
            if agency == TRUST:
                who += [word for urn in self.schools["trust"] for word in ("--school", urn)]
        person = p.json(program, agency, "people", "add", *who)
        return p.serve_pages(program, agency)[1], person

    def topics_of(self, agency):
        """A trust says whose mailboxes it reads; the others have their own."""
        return {"topics": [f"notices/school/{urn}" for urn in self.schools["trust"]] + [f"results/{TRUST}"]} if agency == TRUST else {}
    def serve_audit_desk(self, export, *trust):
        """The audit desk's pages over an export; their address and a sign-in."""
        p = self.partnership
        p.config(AUDITOR, people="auditor.people.toml", organisation=AUDITOR, practice=True, help="the demo has no telephone")
        person = p.json("flagpost-audit", AUDITOR, "people", "add", "jo.wren", "--called", "Jo Wren")
        return p.serve_pages("flagpost-audit", AUDITOR, export, *trust, "--key", p.folder / "seal.key")[1], person

    def load(self):
        """Reference data, rolls and flags, each from the agency whose it is. Returns what the loads answered."""
        p, said = self.partnership, []
        for name in ("gias.csv", "gias-links.csv", "bank-holidays.json", "terms.csv", "contacts.csv"):
            said.append(p.run("flagpost-broker", OPERATOR, "reference", "load", self.files / name))
        said.append(p.run("flagpost-school", "school/900001", "rolls", "load", self.files / "roll-900001.csv"))
        for la in AUTHORITIES:
            said.append(p.run("flagpost-school", f"education/{la}", "rolls", "load", self.files / f"rolls-{la}.csv"))
            said.append(p.run("flagpost-social-care", f"social-care/{la}", "flags", "load", self.files / f"flags-{la}.csv"))
        return said

    def markers(self, count, wait_s=60):
        """Every row that the force's gazetteer would read, once there are so many, or at the end of patience."""
        gazetteer = self.partnership.folder / "gazetteer"

        def read():
            with open(gazetteer / "markers.csv", newline="", encoding="utf-8") as file:
                return list(csv.DictReader(file))
        try:
            until(lambda: (gazetteer / "markers.csv").exists() and len(read()) >= count, wait_s, "the markers have come to the force")
        except Failed:
            pass
        return read()

    def feed(self, folder):
        """Hands a folder's incident files to the force's spool and waits until each row is confirmed or refused."""
        for file in sorted((self.files / folder).iterdir()):
            shutil.copy(file, self.spool / f".{file.name}")
            (self.spool / f".{file.name}").rename(self.spool / file.name)
        return self.partnership.run("flagpost-police", POLICE, "feed", "--spool", self.spool, "--once", wait_s=1200)

    def obligations(self):
        return self.partnership.json("flagpost-broker", OPERATOR, "obligations")

    def wait_until_stored(self, wait_s=120):
        until(lambda: not [o for o in self.obligations() if o["state"] == "sent" and not o["topic"].startswith("reviews/")], wait_s,
              "every notice is in its recipient's inbox")

    def told(self):
        """What is in the inboxes: social care notices, school notices, review items, as the adapters list them."""
        p, social, school, reviews = self.partnership, [], [], []
        for program, agency in self.inboxes():
            items = p.json(program, agency, "inbox", "list", "--all")
            if program == "flagpost-social-care":
                social += [dict(item, agency=agency) for item in items]
                reviews += [dict(item, agency=agency) for item in p.json(program, agency, "reviews", "list")]
            else:
                school += [dict(item, agency=agency) for item in items]
        return social, school, reviews

    def decide_reviews(self, truth, reviews):
        """A named person decides each match that was held: what is owed by the truth is let go where it can be. Returns how many."""
        p = self.partnership
        owed = {(t["incident"], t["la_child_id"]) for t in truth["social_care"]} | {(t["incident"], t["upn"]) for t in truth["school"]}
        for item in reviews:
            permit = bool(item["will_be_told"]) and (item["incident_reference"], item["subject"]) in owed
            verdict, reason = ("permit", "details_agree") if permit else ("deny", "other_child")
            for name in ("Lee Jones", "Kim Osei")[:2 if item["two_people"] else 1]:
                p.run("flagpost-social-care", item["agency"], "reviews", "decide", item["reference"], "--by", name,
                      "--verdict", verdict, "--reason", reason)
        return len(reviews)

    def close_all(self, social, school):
        """Each notice is opened and recorded by a named person of the agency it was for. Returns how many."""
        p, closed = self.partnership, 0
        by_agency = {}
        for item in social + school:
            by_agency.setdefault(item["agency"], []).append(item["reference"])
        for program, agency in self.inboxes():
            references = by_agency.get(agency, [])
            for start in range(0, len(references), 500):
                some = references[start:start + 500]
                if program == "flagpost-social-care":
                    p.run(program, agency, "inbox", "acknowledge", *some, "--by", "Sam Patel")
                    p.run(program, agency, "inbox", "record", *some, "--by", "Sam Patel", "--outcome", "contacted")
                else:
                    p.run(program, agency, "inbox", "acknowledge", *some, "--by", "Jo Wren")
                closed += len(some)
        return closed


def compare(truth, social, school, reviews):
    """Misses and wrong disclosures, apart. A person's eyes count as seen: a match held for review is no miss."""
    told_social = {(i["incident_reference"], i["la_child_id"]): i for i in social}
    told_school = {(i["incident_reference"], i["urn"], i["upn"]): i for i in school}
    held = {(i["incident_reference"], i["subject"]) for i in reviews}
    allowed_social = {(a["incident"], a["la_child_id"]) for a in truth["allowed"] if "la_child_id" in a}
    allowed_school = {(a["incident"], a["urn"], a["upn"]) for a in truth["allowed"] if "urn" in a}
    owed_social = {(t["incident"], t["la_child_id"]): t for t in truth["social_care"]}
    owed_school = {(t["incident"], t["urn"], t["upn"]): t for t in truth["school"]}

    misses = [dict(t, kind="social_care") for key, t in owed_social.items() if key not in told_social and key not in held]
    misses += [dict(t, kind="school") for key, t in owed_school.items()
               if key not in told_school and (t["incident"], t["upn"]) not in held]
    wrong = [i for key, i in told_social.items() if key not in owed_social and key not in allowed_social and i["outcome"] == "match"]
    wrong += [i for key, i in told_school.items() if key not in owed_school and key not in allowed_school]
    possible = [i for key, i in told_social.items() if key not in owed_social and key not in allowed_social and i["outcome"] != "match"]
    held_owed = sum(key not in told_social and key in held for key in owed_social)
    held_owed += sum(key not in told_school and (key[0], key[2]) in held for key in owed_school)
    spoilt = sum(not t["intact"] for t in truth["social_care"] + truth["school"])
    return {"misses": misses, "wrong": wrong, "possible_extra": possible, "held_for_review": held_owed, "spoilt": spoilt,
            "noise": len(reviews) + len(possible), "owed": len(owed_social) + len(owed_school)}


def markers_that_differ(truth, rows):
    """Of (authority, UPRN) of where flagged children live, those that the force lacks, and those it has besides."""
    owed, held = (collections.Counter((row[la], row["uprn"]) for row in some) for some, la in ((truth["markers"], "la"), (rows, "authority")))
    return sorted((owed - held).elements()), sorted((held - owed).elements())


def within_bounds(result):
    """No miss where name and date of birth or the UPRN is intact, of the others at most 0.5 %; nobody told who should not
    be; and what asks for a person's eyes is no more than half of what is owed, or people stop looking."""
    intact = [m for m in result["misses"] if m["intact"]]
    few_missed = not intact and len(result["misses"]) <= 0.005 * max(result["spoilt"], 200)
    return few_missed and not result["wrong"] and result["noise"] <= result["owed"] / 2
