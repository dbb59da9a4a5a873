#!/usr/bin/python3
"""A social care department with a real broker and an inbox full of every state, for a browser test.

Says where it is in one line of JSON, then obeys lines: kill_broker, start_broker, journal REFERENCE. Ends with its input."""

import json
import pathlib
import shutil
import sqlite3
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

from flagpost import BIN, Partnership, agreement_of  # noqa: E402

CARE = "social-care/E10000024"
PEOPLE = (("sam", "Sam Patel", "worker", "North team"), ("kim", "Kim Osei", "duty", None), ("max", "Max Reid", "manager", "North team"),
          ("new", "Nia New", "worker", "South team"))


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="flagpost-"))
    try:
        (folder / "agreement.toml").write_text(agreement_of([CARE]))
        with Partnership(folder, [CARE], folder / "agreement.toml") as p:
            p.start_broker()
            p.config(CARE, people="people.toml", organisation="Norham County Council", practice=True, help="01632 960100, Monday to Friday 8am to 6pm",
                     force_desk="Norham police, 01632 960101, at any hour", handling="Official, sensitive. Keep in the child's record.")
            people = {name: p.json("flagpost-social-care", CARE, "people", "add", name, "--called", called, "--role", role, *(["--team", team] if team else []))
                      for name, called, role, team in PEOPLE}
            box = folder / f"{CARE.replace('/', '-')}.db"
            p.call(BIN / "make_inbox", box)
            _, url = p.serve_pages("flagpost-social-care", CARE)
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
                print(json.dumps(answer), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
