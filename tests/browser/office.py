#!/usr/bin/python3
"""A social care department, or with `trust` a trust of two schools, or with `desk` a department with reviewers too, or with `crowd` one
with a hundred notices, with a real broker and an inbox full of every state, for a browser test. `clock` besides: its clock can be set.

Says where it is in one line of JSON, then obeys lines: kill_broker, start_broker, journal REFERENCE, receipts REFERENCE, staff (how many changes of people
were told the log), by_hand NAME ROLE ROLE (another role in the file of people), said WORDS (how many lines of the program's log hold them), clock SECONDS (ahead of the true time). Ends with its input."""

import datetime
import json
import mmap
import pathlib
import shutil
import sqlite3
import struct
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

from flagpost import BIN, Partnership, agreement_of  # noqa: E402

CARE, TRUST = "social-care/E10000024", "trust/forest"
SCHOOLS = ("900001", "900002")
CARE_PEOPLE = (("sam", "Sam Patel", "worker", ["--team", "North team"]), ("kim", "Kim Osei", "duty", []), ("max", "Max Reid", "manager", ["--team", "North team"]),
               ("new", "Nia New", "worker", ["--team", "South team"]), ("fay", "Fay Dunn", "feeder", []), ("gil", "Gil Ward", "feeder", []),
               ("ada", "Ada Low", "admin", []))
REVIEWERS = (("rae", "Rae Quinn", "reviewer", []), ("tom", "Tom Bell", "reviewer", []))
TRUST_PEOPLE = (("jo", "Jo Wren", "dsl", ["--school", SCHOOLS[0]]), ("kit", "Kit Bell", "deputy", ["--school", SCHOOLS[0]]),
                ("lea", "Lea Dale", "lead", ["--school", SCHOOLS[0], "--school", SCHOOLS[1]]), ("eli", "Eli Moss", "dsl", ["--school", SCHOOLS[1]]),
                ("new", "Nia New", "deputy", ["--school", "900003"]), ("ada", "Ada Low", "admin", []))


class Clock:
    """What the pages' program takes for the time: the true one until it is set."""

    def __init__(self, partnership):
        shim, told = partnership.folder / "clock_shim.so", partnership.folder / "clock"
        partnership.call("c++", "-shared", "-fPIC", "-O1", "-o", shim, ROOT / "tests/support/clock_shim.cpp")
        told.write_bytes(struct.pack("3q", 0, 0, 1))
        with open(told, "r+b") as file:
            self.told = mmap.mmap(file.fileno(), 24)
        plain = partnership.command_of
        partnership.command_of = lambda program, *arguments: plain(program, *arguments) if arguments[0] != "serve" else [
            "env", f"LD_PRELOAD={shim}", f"FLAGPOST_CLOCK={told}", *plain(program, *arguments)]

    def set(self, ahead_s):
        self.told[:] = struct.pack("3q", ahead_s * 1_000_000, 0, 1)


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="flagpost-"))
    asked = sys.argv[1:]
    trust, desk = "trust" in asked, "desk" in asked
    agency, program, staff, name = ((TRUST, "flagpost-school", TRUST_PEOPLE, "Forest Trust") if trust else
                                    (CARE, "flagpost-social-care", CARE_PEOPLE + (REVIEWERS if desk else ()), "Norham County Council"))
    parties, acts_for = ([TRUST] + [f"school/{urn}" for urn in SCHOOLS], {TRUST: [f"school/{urn}" for urn in SCHOOLS]}) if trust else ([CARE], None)
    try:
        (folder / "agreement.toml").write_text(agreement_of(parties, acts_for))
        with Partnership(folder, parties, folder / "agreement.toml") as p:
            p.start_broker()
            topics = {"topics": [f"notices/school/{urn}" for urn in SCHOOLS] + [f"results/{TRUST}"]} if trust else {}
            p.config(agency, **topics, people="people.toml", organisation=name, practice=True, help="01632 960100, Monday to Friday 8am to 6pm",
                     force_desk="Norham police, 01632 960101, at any hour", handling="Official, sensitive. Keep in the child's " + ("protection file." if trust else "record."))
            people = {short: p.json(program, agency, "people", "add", short, "--called", called, "--role", role, *more) for short, called, role, more in staff}
            box = folder / f"{agency.replace('/', '-')}.db"
            p.call(BIN / "make_inbox", box, *[each for each in asked if each != "clock"], *(["100"] if "crowd" in asked else []))
            if trust:
                contacts = folder / "contacts.csv"
                contacts.write_text("Name,Role,Telephone,Email,VerifiedOn\n" + "".join(
                    f"{called},{role},01632 960301,{name}@oak.example,{datetime.date.today() - datetime.timedelta(days=age)}\n"
                    for called, role, name, age in (("Jo Wren", "DSL", "jo", 70), ("Kit Bell", "Deputy", "kit", 5))))
                p.run(program, agency, "contacts", "load", contacts, "--urn", SCHOOLS[0])
            clock = Clock(p) if "clock" in asked else None
            _, url = p.serve_pages(program, agency)
            print(json.dumps({"url": url, "people": people}), flush=True)
            for line in sys.stdin:
                word, *rest = line.split()
                answer = None
                if word == "kill_broker":
                    p.kill_broker()
                if word == "start_broker":
                    p.start_broker()
                if word == "journal":
                    with sqlite3.connect(f"{box}.pages") as journal:
                        answer = journal.execute("SELECT what, person FROM entry WHERE reference = ? ORDER BY seq", rest).fetchall()
                if word == "receipts":
                    with sqlite3.connect(box) as inbox:
                        answer = inbox.execute("SELECT count(*) FROM outgoing WHERE subject = (SELECT thing FROM incoming WHERE reference = ?)", rest).fetchone()[0]
                if word == "staff":
                    with sqlite3.connect(box) as inbox:
                        refused, others = inbox.execute("SELECT sum(state = 2), sum(state <> 2) FROM outgoing WHERE source = 'people'").fetchone()
                    answer = {"refused": refused, "others": others}
                if word == "by_hand":
                    name, was, becomes = rest
                    file = folder / "people.toml"
                    rows = file.read_text().split("[[person]]")
                    file.write_text("[[person]]".join(row.replace(f"'{was}'", f"'{becomes}'") if f"'{name}'" in row else row for row in rows))
                if word == "said":
                    answer = sum(" ".join(rest) in each for each in (folder / f"{agency.replace('/', '-')}.log").read_text().splitlines())
                if word == "clock":
                    clock.set(int(*rest))
                print(json.dumps(answer), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
