"""A force that feeds incidents, and what became of each: in its own outbox, and in the broker's log.

    class AThingHolds(Feeding):
        def test_it(self):
            self.start_broker()
            self.config(FORCE)
            self.feed(FORCE)
            self.put(FORCE, "day.csv", 100)
            self.all_are_confirmed(FORCE, 100)
            self.each_is_in_the_log_once()
"""

import collections
import json
import pathlib
import re
import sqlite3

from flagpost import BIN, Scenario, until

FORCE, AUDITOR = "police/31", "auditor/audit-office"
COLUMNS = "reference,version,status,occurred,recorded,category,domestic_abuse,line_1,town,postcode,people,circumstances\n"
WAITING, CONFIRMED, REFUSED = 0, 1, 2


def incidents(name, numbers, circumstances="Nothing"):
    rows = [f"{name}-{n},1,open,2025-03-04T21:10:00Z,2025-03-04T21:30:00Z,Theft,no,{n} Oak Road,Worksop,S80 1AB,[],{circumstances}\n" for n in numbers]
    return COLUMNS + "".join(rows)


class Feeding(Scenario):
    agencies = [FORCE, AUDITOR]

    def named(self, agency, ending):
        return self.folder / (agency.replace("/", "-") + ending)

    def config(self, agency, port=None, **own):
        """`port`: of what stands between adapter and broker, if anything does."""
        path = self.partnership.config(agency, **own)
        if port is not None:
            path.write_text(path.read_text().replace(f"localhost:{self.partnership.port}", f"localhost:{port}"))
        return path

    def spool(self, agency):
        spool = self.named(agency, ".spool")
        spool.mkdir(exist_ok=True)
        return spool

    def feed(self, agency):
        """The daemon that publishes what is put into the spool."""
        return self.partnership.start("flagpost-police", agency, "feed", "--spool", str(self.spool(agency)))

    def put(self, agency, name, count, circumstances="Nothing"):
        """A file of so many incidents into the spool, whole at once as files must come."""
        hidden = self.spool(agency) / f".{name}"
        hidden.write_text(incidents(name.removesuffix(".csv"), range(count), circumstances))
        hidden.rename(self.spool(agency) / name)

    def counts(self, agency):
        """Waiting, confirmed, refused: read from the outbox itself, which costs the adapter nothing."""
        box = self.named(agency, ".db")
        if not box.exists():
            return (0, 0, 0)
        with sqlite3.connect(f"file:{box}?mode=rw", uri=True, timeout=30) as file:  # whoever comes after a kill rolls back
            try:
                found = dict(file.execute("SELECT state, count(*) FROM outgoing GROUP BY state"))
            except sqlite3.OperationalError as error:
                if "no such table" not in str(error):
                    raise
                found = {}
        file.close()
        return tuple(found.get(state, 0) for state in (WAITING, CONFIRMED, REFUSED))

    def all_are_confirmed(self, agency, count, wait_s=60):
        until(lambda: self.counts(agency) == (0, count, 0), wait_s, f"all {count} are confirmed: {self.counts(agency)}")

    def said(self, agency):
        log = self.named(agency, ".log")
        return log.read_text() if log.exists() else ""

    def connected(self, agency, times=1):
        return self.said(agency).count("connected to the broker") >= times

    def broker_log(self):
        return (self.folder / "broker.log").read_text()

    def memory_mib(self, field="VmHWM"):
        status = pathlib.Path(f"/proc/{self.partnership.broker.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+)", status)[1]) // 1024

    def figures_of_the_broker(self):
        """What it counted; stops it."""
        self.assertEqual(self.stop_broker(), 0)
        return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", self.broker_log().rsplit("since the start", 1)[1])}

    def leaves(self):
        """Every leaf of the log, by an auditor's export that verifies."""
        export = self.folder / f"export-{len(list(self.folder.glob('export-*')))}"
        self.partnership.config(AUDITOR)
        self.partnership.run("flagpost-audit", AUDITOR, "export", "--public", export)
        answer = self.partnership.call(BIN / "flagpost-audit", "verify", export, "--vkey", self.pki / "broker" / "log.vkey", "--json")
        self.assertTrue(json.loads(answer)["verified"])
        return [json.loads(line) for line in self.partnership.call(BIN / "flagpost-audit", "replay", export, "--json").splitlines()]

    def times_in_the_log(self, topic="incidents/31"):
        """How often each message published on the topic was recorded, by its id."""
        return collections.Counter(leaf["message"] for leaf in self.leaves() if leaf["kind"] == "published" and leaf.get("topic") == topic)
