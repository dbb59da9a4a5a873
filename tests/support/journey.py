"""The shortest whole journey through a partnership of real processes, played to its end over whatever kills them.

    journey = Journey(partnership)
    journey.play()        # flags loaded, incidents fed, notices received, opened and recorded, all stopped
    journey.check()       # everything said to be done is, exactly once, and the log proves it

A process that dies is started again, as a supervisor does; what dies must be asked for with `deaths`. What had been
confirmed to an adapter before a death must be in the broker's store after it.
"""

import collections
import concurrent.futures
import contextlib
import csv
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time

from disk import Disk, put_before
from flagpost import agreement_of
from partnership import BIN, Failed, Partnership

POLICE, SOCIAL, OPERATOR, AUDITOR = "police/31", "social-care/E10000024", "operator/duty", "auditor/audit-office"
AGENCIES = [POLICE, SOCIAL, OPERATOR, AUDITOR]
CHILDREN = [("NC1", "Yuki", "Sutfield", "2022-07-11"), ("NC2", "Tomasz", "Marwick", "2016-02-29"), ("NC3", "Aisha", "Garthorpe", "2014-09-01")]
FLAGS = ("LAchildID GivenNames FamilyName AlsoKnownAs PersonBirthDate ExpectedPersonBirthDate Sex UPN NHSNumber FlagKind LatestCategoryOfAbuse "
         "CPPstartDate CPPendDate DeleteDate Addresses LinkedAdults AllocatedWorker WorkerContact AllocatedTeam DutyContact OutOfHoursContact").split()
PATIENCE_S = 60
DEATHS_MAX = 3


def write_csv(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def home_of(code):
    return {"line_1": f"{code[2:]} Windmill Close", "town": "Worksop", "postcode": f"S80 {code[2:]}AB"}


def flag(code, given, family, born):
    home = [home_of(code) | {"from": "2020-01-01", "to": ""}]
    return dict.fromkeys(FLAGS, "") | {"LAchildID": code, "GivenNames": given, "FamilyName": family, "PersonBirthDate": born, "Sex": "F",
                                       "FlagKind": "child_protection_plan", "LatestCategoryOfAbuse": "EMO", "CPPstartDate": "2025-10-13",
                                       "Addresses": json.dumps(home), "AllocatedWorker": "Sean Selby"}


def incident(reference, code, given, family, born):
    child = {"given_names": given, "family_name": family, "date_of_birth": born, "sex": "F", "home": home_of(code), "role": "child", "present": True}
    return {"reference": reference, "version": 1, "status": "open", "occurred": "2026-11-17T21:10:00Z", "recorded": "2026-11-17T21:30:00Z",
            "category": "Domestic incident", "domestic_abuse": "yes", **home_of(code), "people": json.dumps([child]),
            "circumstances": "Shouting heard"}


def rows_of(database, query):
    """From a copy, so that nothing is locked, and a hot journal is rolled back in the copy."""
    if not database.exists():
        return []
    with tempfile.TemporaryDirectory() as folder:
        for name in (database.name, database.name + "-journal", database.name + "-wal"):
            if (database.parent / name).exists():
                shutil.copy(database.parent / name, folder)
        file = sqlite3.connect(pathlib.Path(folder) / database.name)
        try:
            return file.execute(query).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):  # died before the first transaction
                return []
            raise
        finally:
            file.close()


class Journey:
    def __init__(self, partnership, deaths=DEATHS_MAX):
        self.p, self.deaths_max, self.deaths = partnership, deaths, []
        self.on_death = lambda who: None  # before anything is started again
        self.stops_over = None            # mends what a program may stop over, saying why on stderr
        self.stopped = []
        self.confirmed = {}               # message: leaf, as adapters were told
        self.clean()

    def clean(self):
        """As on the first day."""
        p = self.p
        for path in p.folder.iterdir():
            if path.name == "broker-data" or path.name.endswith((".db", ".db-journal", ".db.lock", ".log", ".graves")) or path.name in ("spool", "export"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.deaths, self.stopped, self.confirmed = [], [], {}
        self.spool = p.folder / "spool"
        self.spool.mkdir()
        self.flags = p.folder / "flags.csv"
        write_csv(self.flags, [flag(*child) for child in CHILDREN])
        self.incidents = [f"NP-{n}" for n in range(len(CHILDREN))]
        for n, child in enumerate(CHILDREN):
            write_csv(self.spool / f"{n}.csv", [incident(self.incidents[n], *child)])

    # --- Playing

    def play(self):
        self.start_broker()
        self.command("flagpost-social-care", SOCIAL, "flags", "load", self.flags)
        self.command("flagpost-police", POLICE, "feed", "--spool", self.spool, "--once")
        self.receive(len(CHILDREN))
        references = [item["reference"] for item in self.inbox()]
        self.command("flagpost-social-care", SOCIAL, "inbox", "acknowledge", *references, "--by", "Sam Patel")
        self.command("flagpost-social-care", SOCIAL, "inbox", "record", *references, "--by", "Sam Patel", "--outcome", "contacted")
        self.stop_broker()

    def start_broker(self):
        while True:
            try:
                self.p.start_broker()
            except Failed:
                self.p.broker.stdout.close()
                if not self.ends("broker", self.p.broker.wait(10)):
                    raise
                continue
            for agency in AGENCIES:
                self.p.config(agency)
            return

    def stop_broker(self):
        """SIGTERM. One that dies of its disk on the way is started and stopped again."""
        while (code := self.p.stop_broker()) != 0:
            if not self.ends("broker", code):
                raise Failed(f"the broker ended with {code}\n" + self.p.tail("broker.log"))
            self.start_broker()

    def revive_broker(self):
        """Whether the broker had died."""
        if self.p.broker.poll() is None:
            return False
        self.p.broker.stdout.close()
        if not self.ends("broker", self.p.broker.returncode):
            raise Failed(f"the broker ended with {self.p.broker.returncode}\n" + self.p.tail("broker.log"))
        self.start_broker()
        self.require_confirmed()
        return True

    def ends(self, who, code):
        """Whether a program may end with this code here: killed, or over what `stops_over` then mends."""
        if self.stops_over is None:
            if code == -signal.SIGKILL:
                self.died(who)
            return code == -signal.SIGKILL
        if code not in (1, 70):
            return False
        self.stopped.append(who)
        self.stops_over()
        self.remember()
        return True

    def died(self, who):
        self.deaths.append(who)
        if len(self.deaths) > self.deaths_max:
            raise Failed(f"{who} died again: {self.deaths}\n{self.p.tail('broker.log')}")
        self.remember()
        self.on_death(who)

    def command(self, program, agency, *arguments):
        """To its end, which is success; over deaths of its own and of the broker."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            process = self.p.start(program, agency, *arguments)
            while process.poll() is None and self.p.broker.poll() is None:
                if time.monotonic() > deadline:
                    raise Failed(f"{program} {arguments[0]} does not end\n" + self.p.tail(agency.replace("/", "-") + ".log"))
                self.wait_a_little(process)
            self.p.daemons.remove(process)
            if process.poll() == 0:
                return
            if self.ended(process, program) != 0:
                raise Failed(f"{program} {arguments[0]} ended with {process.returncode}\n" + self.p.tail(agency.replace("/", "-") + ".log"))

    @staticmethod
    def wait_a_little(process):
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            pass

    def ended(self, process, program):
        """After a death, of the broker or of the process itself; another code than 0 if it was none."""
        if self.p.broker.poll() is not None:
            process.kill()
            process.wait()
        if self.revive_broker():
            return 0
        return 0 if self.ends(program, process.returncode) else process.returncode

    def receive(self, count):
        """The daemon of social care runs until its inbox holds that many."""
        deadline = time.monotonic() + PATIENCE_S
        box = self.p.folder / "social-care-E10000024.db"
        while True:
            daemon = self.p.start("flagpost-social-care", SOCIAL, "run")
            while daemon.poll() is None and self.p.broker.poll() is None:
                if rows_of(box, "SELECT count(*) FROM incoming WHERE reference IS NOT NULL") == [(count,)]:
                    daemon.terminate()
                    daemon.wait(20)
                elif time.monotonic() > deadline:
                    raise Failed("the notices do not arrive\n" + self.p.tail("social-care-E10000024.log"))
                self.wait_a_little(daemon)
            self.p.daemons.remove(daemon)
            if daemon.poll() in (0, -signal.SIGTERM):  # the latter before it was ready to hear of it
                return
            if self.ended(daemon, "flagpost-social-care") != 0:
                raise Failed(f"the daemon ended with {daemon.returncode}\n" + self.p.tail("social-care-E10000024.log"))

    def inbox(self):
        """As the adapter lists it; it is not this reading that is to die."""
        kept = self.p.command_of
        put_before(self.p, {})
        try:
            return self.p.json("flagpost-social-care", SOCIAL, "inbox", "list", "--all")
        finally:
            self.p.command_of = kept

    # --- Judging

    def remember(self):
        for agency in ("police-31", "social-care-E10000024"):
            self.confirmed.update(rows_of(self.p.folder / f"{agency}.db", "SELECT hex(id), leaf FROM outgoing WHERE state = 1"))

    def require_confirmed(self):
        stored = dict(rows_of(self.p.folder / "broker-data" / "flagpost.db", "SELECT hex(message), idx FROM receipt"))
        lost = {message: leaf for message, leaf in self.confirmed.items() if stored.get(message) != leaf}
        if lost:
            raise Failed(f"confirmed and lost: {lost}, after the deaths of {self.deaths}")

    def check(self):
        """Raises Failed unless all of it is done, once, and proven. The broker is stopped, and so it is afterwards."""
        p = self.p
        put_before(p, {})
        self.remember()
        p.start_broker()
        try:
            self.require_confirmed()
            p.run("flagpost-broker", "broker", "check")
            status = p.json("flagpost-police", POLICE, "status")
            self.require("incidents", (status["confirmed"], status["waiting"], status["refused"]), (len(CHILDREN), 0, 0))
            told = collections.Counter((i["incident_reference"], i["la_child_id"], i["state"]) for i in self.inbox())
            self.require("inbox", told, collections.Counter((r, c[0], "recorded") for r, c in zip(self.incidents, CHILDREN)))
            self.require("open obligations", p.json("flagpost-broker", OPERATOR, "status")["open_obligations"], 0)
            shutil.rmtree(p.folder / "export", ignore_errors=True)
            p.run("flagpost-audit", AUDITOR, "export", "--public", p.folder / "export")
            p.call(BIN / "flagpost-audit", "verify", p.folder / "export", "--vkey", p.pki / "broker" / "log.vkey")
            leaves = [json.loads(line) for line in p.call(BIN / "flagpost-audit", "replay", p.folder / "export", "--json").splitlines()]
            published = [leaf["message"] for leaf in leaves if leaf["kind"] == "published" and leaf.get("topic") == "incidents/31"]
            self.require("incidents in the log", (len(published), len(set(published))), (len(CHILDREN), len(CHILDREN)))
        finally:
            p.stop_broker()

    def require(self, what, found, wanted):
        if found != wanted:
            raise Failed(f"{what}: {found} instead of {wanted}, after the deaths of {self.deaths}")


class Journeys:
    """Many of them, two at a time, over one set of certificates. For a test case, which cleans up after them."""

    def __init__(self, case):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="flagpost-"))
        case.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "agreement.toml").write_text(agreement_of(AGENCIES))
        self.free, self.lock = [], threading.Lock()

    @contextlib.contextmanager
    def one(self, program):
        """A journey not yet begun, and the disk that is in front of `program` in it."""
        with self.lock:
            partnership = self.free.pop() if self.free else Partnership(tempfile.mkdtemp(dir=self.folder), AGENCIES, self.folder / "agreement.toml",
                                                                        self.folder / "pki")
        journey = Journey(partnership)
        disk = Disk(partnership.folder / "disk", partnership.folder)
        put_before(partnership, {program: disk})
        try:
            yield journey, disk
        finally:
            partnership.close()
            partnership.daemons.clear()
            with self.lock:
                self.free.append(partnership)

    @staticmethod
    def play_all(play, points):
        """What `play` returned for each point, None where it failed, and the failures by point."""
        failures = []

        def attempt(point):
            try:
                return play(point)
            except Exception as error:  # every point is judged, whatever befalls it
                failures.append((point, str(error)))
                return False

        with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count())) as pool:
            return list(pool.map(attempt, points)), failures
