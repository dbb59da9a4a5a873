#!/usr/bin/python3
"""The guide for local authorities is true: its config file and each of its commands, as written, in order, against a running broker;
then the watch folder, an upload by two people, cover and a suspension, as it says."""

import http.client
import json
import pathlib
import re
import shlex
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import children  # noqa: E402
from flagpost import SOURCE, main, until  # noqa: E402
from guide import Guide  # noqa: E402
from pages import Browser  # noqa: E402

FORCE, DUTY, CARE, SCHOOL = "police/31", "operator/duty", "social-care/E10000024", "school/900001"
GUIDE = (SOURCE / "docs" / "guides" / "connect-a-local-authority.md").read_text()
HIDDEN, SEEN, PLACED, CENSUS = children.CHILDREN[:4]  # the first is shielded, the third of the CSC API, the fourth of the census
HEADER = "LAchildID,GivenNames,FamilyName,PersonBirthDate,FlagKind,CPPstartDate,CPPendDate,AllocatedWorker,AllocatedTeam,Shield\n"


def row(number, child, shield="none"):
    given, family, born = child
    return f"C{number},{given},{family},{born},child_protection_plan,2025-01-10,,Sam Patel,North,{shield}\n"


CSC = json.dumps({"la_code": 891, "Children": [
    {"la_child_id": "C2", "mis_child_id": "M2", "purge": False,
     "child_details": {"first_name": PLACED[0], "surname": PLACED[1], "date_of_birth": PLACED[2], "sex": "F", "postcode": "S801AB"},
     "social_care_episodes": [{"child_protection_plans": [{"child_protection_plan_id": "P", "start_date": "2025-01-10", "end_date": None}],
                               "care_worker_details": [{"worker_id": "Sam Patel", "start_date": "2025-01-10"}]}]},
    {"la_child_id": "C7", "child_details": {"first_name": "No", "surname": "Plan", "date_of_birth": "2015-01-01"}, "social_care_episodes": []}]}, indent=1)
CIN = f"""<?xml version="1.0" encoding="utf-8"?>
<Message><Header><CollectionDetails><Collection>CIN</Collection><Year>2026</Year></CollectionDetails><Source><LEA>891</LEA></Source></Header>
<Children><Child><ChildIdentifiers><LAchildID>C3</LAchildID><PersonBirthDate>{CENSUS[2]}</PersonBirthDate><Sex>M</Sex></ChildIdentifiers>
<CINdetails><ChildProtectionPlans><CPPstartDate>2025-01-10</CPPstartDate><InitialCategoryOfAbuse>NEG</InitialCategoryOfAbuse></ChildProtectionPlans></CINdetails></Child>
</Children></Message>
"""
NAMES = f"LAchildID,GivenNames,FamilyName,Line1,Town,Postcode,AllocatedWorker,AllocatedTeam\nC3,{CENSUS[0]},{CENSUS[1]},3 Oak Road,Worksop,S80 1AB,Sam Patel,North\n"


class CareGuide(Guide):
    agencies = [FORCE, DUTY, CARE, SCHOOL]

    def setUp(self):
        super().setUp()
        self.start_broker()
        for agency in self.agencies:
            self.partnership.config(agency)
        roll = self.folder / "roll.csv"
        roll.write_text(children.roll([HIDDEN], 900001))
        self.partnership.run("flagpost-school", SCHOOL, "rolls", "load", roll)
        self.desk = self.folder / "desk"
        (self.desk / "flags-in").mkdir(parents=True)
        self.write_config()
        (self.desk / "extract.csv").write_text(HEADER + row(0, HIDDEN, "refuge") + row(1, SEEN))
        (self.desk / "children.json").write_text(CSC)
        (self.desk / "cin.xml").write_text(CIN)
        (self.desk / "names.csv").write_text(NAMES)

    def write_config(self):
        """The guide's own, but for where this partnership's broker and keys are."""
        text = re.search(r"`social-care.toml`:\n\n```toml\n(.*?)```", GUIDE, re.S).group(1)
        true = {"broker": f"localhost:{self.partnership.port}", "partnership": "nottinghamshire.example", "identity": str(self.identity(CARE)),
                "ca": str(self.pki / "ca.crt"), "log_vkey": str(self.pki / "broker" / "log.vkey")}
        for key, value in true.items():
            text, found = re.subn(rf"^{key}( *)= .*$", lambda match: f"{key}{match.group(1)}= {json.dumps(value)}", text, flags=re.M)
            self.assertEqual(found, 1, key)
        (self.desk / "social-care.toml").write_text(text)

    def own(self, *words, expect=0):
        return self.call("flagpost-social-care", "--config", "social-care.toml", *words, expect=expect)

    def listed(self, *what):
        return json.loads(self.own("--json", *what))

    def test_every_command_of_the_guide_does_what_it_says(self):
        commands = [shlex.split(line) for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.S) for line in block.splitlines()]
        self.assertEqual(len(commands), 15)
        said, notice, review = {}, None, None
        for command in commands:
            name = " ".join(word for word in command[3:5] if not re.match(r"(FP|RV)-", word))
            if name == "serve":
                self.serve(command)
                notice, review = self.owe()
            else:
                words = [{"FP-7K3M-29QD": notice, "RV-3C8K-11PD": review}.get(word, word) for word in command]
                said.setdefault(name, []).append(self.call(*words))
        self.people, self.browsers = {}, {}
        for name, text in zip(("sam.patel", "ada.low", "fay.dunn", "gil.ward"), said["people add"]):
            self.people[name] = re.search(r"Password: (\S+)", text).group(1), re.search(r"app\): (\S+)", text).group(1)
        for text, read in zip(said["flags load"], ("Read as CSV.", "Read as CSC API.", "Read as CIN census.")):
            self.assertIn(read, text)
            self.assertIn("CPF02: all records were loaded.", text)
        self.assertIn("1 children in it have no plan", said["flags load"][1])
        self.assertIn(notice, said["inbox list"][0])
        self.assertIn("acknowledge", " ".join(said))
        self.assertIn(review, said["reviews list"][0])
        self.hostile_files_change_nothing()
        self.the_folder_is_watched()
        self.a_large_form_is_read_from_who_may_send_it_alone()
        self.two_people_apply_a_list_that_ends_many()
        self.somebody_covers_and_a_leaver_hands_over()

    def owe(self):
        """Incidents with every child come while the authority serves: a notice, and a match to review, since one is shielded."""
        spool = self.folder / "spool"
        spool.mkdir()
        (spool / "day.csv").write_text(children.incidents(children.CHILDREN[:4], abuse=True))
        self.partnership.run("flagpost-police", FORCE, "feed", "--spool", spool, "--once")
        notices = until(lambda: (lambda all: all if len(all) == 4 else None)(self.listed("inbox", "list")), 60, "all four children's flags were matched")
        reviews = until(lambda: self.listed("reviews", "list"), 60, "the shielded child's school waits for a reviewer")
        return notices[0]["reference"], reviews[0]["reference"]

    def signed_in(self, name):
        """Once each: a code of the second step serves once."""
        if name not in self.browsers:
            self.browsers[name] = Browser(self.url)
            self.browsers[name].sign_in(name, *self.people[name])
        return self.browsers[name]

    def hostile_files_change_nothing(self):
        hostile = {"wide.csv": ",".join(["LAchildID"] + [f"c{i}" for i in range(1_000_000)]) + "\n",
                   "laughs.xml": '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><Message>&b;</Message>',
                   "other.json": CSC.replace("891", "892"),
                   "short.json": CSC[:-20],
                   "utf16.csv": (HEADER + row(1, SEEN)).encode("utf-16")}
        for name, content in hostile.items():
            file = self.desk / name
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
            report = json.loads(self.own("--json", "flags", "load", name, expect=1))
            self.assertEqual((report["code"], report["file_code"], report["loaded"]), ("malformed", "CPF01", 0), name)
            self.assertIn("rejected", (self.desk / f"{name}.rejects.csv").read_text())
        counted = json.loads(self.own("--json", "flags", "load", "extract.csv", "--count", "3", expect=1))
        self.assertEqual((counted["code"], counted["loaded"]), ("wrong_count", 0))
        (self.desk / "empty.csv").write_text(HEADER)
        for said in ([], ["--mode", "delta", "--count", "0"]):
            empty = json.loads(self.own("--json", "flags", "load", "empty.csv", *said, expect=1))
            self.assertEqual((empty["code"], empty["file_code"]), ("none_loaded", "CPF04"))
            self.assertIn("--count 0", (self.desk / "empty.csv.rejects.csv").read_text())
        # Whoever says that it is meant: as any list that would end many flags.
        self.assertEqual(json.loads(self.own("--json", "flags", "load", "empty.csv", "--count", "0", expect=1))["result"], "waits_for_people")
        (self.desk / "twice.csv").write_text(HEADER + row(1, SEEN) + row(1, CENSUS))
        twice = json.loads(self.own("--json", "flags", "load", "twice.csv", "--mode", "delta"))
        self.assertEqual((twice["loaded"], twice["rows_rejected"], twice["file_code"]), (1, 1, "CPF03"))
        self.assertIn("the same as on line 2", (self.desk / "twice.csv.rejects.csv").read_text())

    def the_folder_is_watched(self):
        fay = self.signed_in("fay.dunn")
        self.assertIn("4 children are flagged", fay.get("/flags").words)
        whole = HEADER + row(0, HIDDEN, "refuge") + "".join(row(n, child) for n, child in enumerate(children.CHILDREN) if n > 0)
        (self.folder / "flags.csv").write_text(whole)
        (self.folder / "flags.csv").rename(self.desk / "flags-in" / "flags.csv")
        until(lambda: "5 children are flagged" in fay.get("/flags").words, 60, "the list put into the folder is loaded")
        self.assertTrue((self.desk / "flags-in" / "archive" / "flags.csv").exists())

    def two_people_apply_a_list_that_ends_many(self):
        fay, gil = self.signed_in("fay.dunn"), self.signed_in("gil.ward")
        form = fay.get("/flags/upload").form("/flags/upload", 'enctype="multipart/form-data"')
        small = HEADER + row(0, HIDDEN, "refuge") + row(1, SEEN)
        # The same rule at the terminal: nothing is sent, and the list waits on the page.
        (self.desk / "small.csv").write_text(small)
        waits = json.loads(self.own("--json", "flags", "load", "small.csv", expect=1))
        self.assertEqual(waits["result"], "waits_for_people")
        self.assertIn("3 of 5", waits["why"])
        self.assertIn("Two people have to look at it", self.own("flags", "load", "small.csv", expect=1))
        self.assertIn("5 children are flagged", fay.get("/flags").words)
        for number in (waits["load"], waits["load"] + 1):
            path = f"/flags/loads/{number}"
            page = fay.get(path)
            self.assertIn("Command line", page.words)
            self.assertEqual(fay.post(page, path + "/apply").status, 422)
            fay.follow(fay.post(page, path + "/discard"))
        preview = fay.follow(fay.upload("/flags/upload", form | {"mode": "full"}, {"file": ("small.csv", small)}))
        path = re.search(r'action="(/flags/loads/\d+)/apply"', preview.text).group(1)
        self.assertIn("Nothing has changed yet", preview.words)
        self.assertIn("I have checked: 3 children will no longer be flagged", preview.words)
        self.assertIn("5 children are flagged", fay.get("/flags").words)
        self.assertEqual(fay.post(preview, path + "/apply").status, 422)
        self.assertIn("A second person must apply it", fay.follow(fay.post(preview, path + "/apply", checked="yes")).words)
        self.assertIn("5 children are flagged", fay.get("/flags").words)
        gil.follow(gil.post(gil.get(path), path + "/apply"))
        until(lambda: "Loaded, CPF02" in gil.get(path).words, 60, "the broker has loaded it")
        self.assertIn("2 children are flagged", gil.get("/flags").words)
        self.assertIn("CPR06", gil.get(path + "/results").text)

    def a_large_form_is_read_from_who_may_send_it_alone(self):
        """By its announced length: nobody else fills the program's memory."""
        for path in ("/flags/upload", "/cover/set"):
            for size, chunked in ((5_000_000, False), (200_000_000, False), (0, True)):
                connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc, timeout=30)
                connection.putrequest("POST", path)
                connection.putheader("Origin", self.url)
                connection.putheader("Content-Type", "multipart/form-data; boundary=x")
                connection.putheader(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(size))))
                connection.endheaders()
                self.assertEqual(connection.getresponse().status, 413, (path, size))
                connection.close()

    def somebody_covers_and_a_leaver_hands_over(self):
        ada = self.signed_in("ada.low")
        added = ada.post(ada.get("/users/add"), "/users/add", name="lee.jones", called="Lee Jones", role="worker", teams="South")
        self.assertEqual(added.status, 200, added.words)
        self.people["lee.jones"] = (re.search(r'fp-code">([^<]+)<', added.text).group(1), re.search(r"Second step</dt><dd[^>]*>([A-Z2-7]+)<", added.text).group(1))
        lee = self.signed_in("lee.jones")
        self.assertIn("Nothing to act on.", lee.get("/inbox").words)
        sam = self.signed_in("sam.patel")
        self.assertIn("/notices/", sam.get("/inbox").text)
        self.assertEqual(ada.post(ada.get("/users/sam.patel"), "/users/sam.patel/suspend").status, 422)
        ada.follow(ada.post(ada.get("/users/sam.patel"), "/users/sam.patel/suspend", taker="lee.jones"))
        self.assertEqual(sam.get("/inbox").headers["Location"], "/sign-in")
        self.assertIn("/notices/", lee.get("/inbox").text)


main()
