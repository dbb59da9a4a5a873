#!/usr/bin/python3
"""What goes wrong is told without whom it is about: no log, message, metric, status or public export holds a name, a date of birth or an
address, and the broker's files hold none in clear. Secrets stay out of core dumps."""

import http.client
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import children  # noqa: E402
from feeding import AUDITOR, FORCE, Feeding, incidents  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import BIN, free_port, main, until  # noqa: E402

DUTY, CARE, SCHOOL = "operator/duty", "social-care/E10000024", "school/900001"
CONTACTS = "urn,name,role,telephone,email,verified_on\n900001,Anthea Firstley,DSL,01632 960301,a.firstley@school.example,2026-11-17\n"
TOLD = "Neighbours saw Bartholomew run"
# Each of these is somebody, and stands nowhere else: not in a path, an option or a message of ours.
SECRETS = [part for given, family, born in children.CHILDREN for part in (given, family, born)] + [
    "Katherine", "1988-09-1", "Bartholomew", "Oak Road", "S80 1AB", "Anthea", "Firstley", "960301", "Quinceworth", "01/02/2013", "H8014", "9434765"]


class PersonalData(Feeding):
    agencies = [FORCE, CARE, SCHOOL, AUDITOR, DUTY]

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def say(self, program, agency, *arguments):
        """What a command says, whether it does what it was asked for or not."""
        done = subprocess.run([BIN / program, *map(str, arguments), "--config", self.named(agency, ".toml")], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120)
        return done.stdout

    def get(self, address, path):
        connection = http.client.HTTPConnection(address, timeout=30)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def found(self, places):
        return sorted({(name, secret) for name, content in places.items() for secret in SECRETS if secret.encode() in content})

    def all_that_is_refused(self):
        """Every kind of list and incident with people where they do not belong; what is said of each."""
        given, family, born = children.CHILDREN[0]
        flags = children.flags(children.CHILDREN).splitlines(True)
        bad_flags = flags[0] + f"C7,{given},{family},{family} 1 May,child_protection_plan,2025-01-10,,\n" \
            f"C8,{given},{family},{born},{family},Quinceworth,,\n{given},{family}\n" + flags[1] + flags[1]
        bad_roll = "URN,UPN,Surname,Forename,DOB\n" + f"900001,H801Quinceworth,{family},{given},01/02/2013 {family}\n{given},,,,\n"
        head, row = incidents("X", [1]).splitlines(True)
        bad_day = head + row.replace("X-1,1,open", f"X-2,{family},Quinceworth") + row.replace("2025-03-04T21:10:00Z", f"{born} {given}") \
            + row.replace("[]", '"[{""given_names"": ""Bartholomew"", ""role"": ""Quinceworth""}]"') + f"{given},{family}\n"
        people = f'<incidents><incident><name>{given} {family}</name>'
        hidden = self.spool(FORCE) / ".bad"
        broken = f'{{"reference": "{family}", "people": [{{"given_names": "{given}"\n'
        for name, text in (("bad.csv", bad_day), ("bad.ndjson", broken)):
            hidden.write_text(text)
            hidden.rename(self.spool(FORCE) / name)
        said = {
            "flags load": self.say("flagpost-social-care", CARE, "flags", "load", self.write("bad-flags.csv", bad_flags)),
            "flags load, broken": self.say("flagpost-social-care", CARE, "flags", "load", self.write("half.xml", people)),
            "rolls load": self.say("flagpost-school", SCHOOL, "rolls", "load", self.write("bad-roll.csv", bad_roll)),
            "import": self.say("flagpost-police", FORCE, "import", self.write("backlog.csv", bad_day)),
            "mapping": self.say("flagpost-police", FORCE, "import", self.write("people.csv", f"{given},{family}\n{born},x\n")),
            "record": self.say("flagpost-school", SCHOOL, "inbox", "record", "FP-0000-0000", "--by", "B. Second", "--outcome", "quiet_support"),
            "contacts": self.say("flagpost-broker", DUTY, "reference", "load", self.write("bad.csv", CONTACTS.replace("900001", "Firstley"))),
        }
        until(lambda: not list(self.spool(FORCE).glob("bad.*")), 20, "the force's program has looked at both")
        return said

    def test_nobody_stands_in_what_operators_and_outsiders_see(self):
        address = f"127.0.0.1:{free_port()}"
        self.partnership.broker_more = f'[management]\nlisten = "{address}"\n'
        self.start_broker()
        for agency in self.agencies:
            self.config(agency)
        p = self.partnership
        p.run("flagpost-broker", DUTY, "reference", "load", self.write("contacts.csv", CONTACTS))
        p.run("flagpost-social-care", CARE, "flags", "load", self.write("flags.csv", children.flags(children.CHILDREN)))
        p.run("flagpost-school", SCHOOL, "rolls", "load", self.write("roll.csv", children.roll(children.CHILDREN, 900001)))
        daemons = [self.feed(FORCE), p.start("flagpost-social-care", CARE, "run"), p.start("flagpost-school", SCHOOL, "run")]
        day = children.incidents(children.CHILDREN, abuse=True).replace("Shouting heard", TOLD)
        self.write(".day", day).rename(self.spool(FORCE) / "day.csv")
        self.all_are_confirmed(FORCE, len(children.CHILDREN))
        until(lambda: len(p.json("flagpost-social-care", CARE, "inbox", "list")) == len(children.CHILDREN), 60, "social care is told of each child")
        seen = self.all_that_is_refused()

        for program in (p.broker, *daemons):
            limits = pathlib.Path(f"/proc/{program.pid}/limits").read_text()
            self.assertRegex(limits, r"Max core file size +0 +0 ")
        for path in ("/metrics", "/status", "/status.json"):
            seen[path] = self.get(address, path)
        for words in (("obligations",), ("status",)):
            seen[" ".join(words)] = self.say("flagpost-broker", DUTY, *words)
        seen["police status"] = self.say("flagpost-police", FORCE, "status")
        export = self.folder / "export"
        p.run("flagpost-audit", AUDITOR, "export", "--public", export)
        for path in export.rglob("*"):
            if path.is_file():
                seen[f"export/{path.relative_to(export)}"] = path.read_bytes()
        seen["replay"] = p.call(BIN / "flagpost-audit", "replay", export).encode()
        self.assertEqual(self.stop_broker(), 0)
        for daemon in daemons:
            daemon.terminate()
            daemon.wait(30)
        for path in [*self.folder.glob("*.log"), *(self.folder / "broker-data").rglob("*")]:
            if path.is_file():
                seen[path.name] = path.read_bytes()

        # The search finds what is there: in what agencies keep of their own.
        own = {path.name: path.read_bytes() for path in self.folder.glob("*.db")}
        self.assertGreater(len(self.found(own)), len(children.CHILDREN) * 3)
        self.assertGreater(sum(len(content) for name, content in seen.items() if name == "broker.log" or name.endswith("police-31.log")), 1000)
        self.assertEqual(self.found(seen), [])
        figure("T49", places_searched=len(seen), bytes_searched=sum(map(len, seen.values())), personal_data_found=0)


main()
