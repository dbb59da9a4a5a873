#!/usr/bin/python3
"""An operator sees at a glance whether somebody is needed: the management address, /metrics and `flagpost-broker status` tell the same
of a running broker, name who has to act, and hold neither persons nor references."""

import csv
import http.client
import json
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from client import Client  # noqa: E402
from feeding import AUDITOR, FORCE, Feeding  # noqa: E402
from flagpost import BIN, SOURCE, free_port, main, until  # noqa: E402

OPERATOR, BENCH = "operator/duty", "bench/1"
SURROUNDINGS = {"clock_unsynchronised", "clock_error", "disk_full", "disk_fills"}  # of the machine the test runs on


class Management(Feeding):
    agencies = [FORCE, AUDITOR, OPERATOR, BENCH]
    address = None

    def start_broker(self):
        self.address = self.address or f"127.0.0.1:{free_port()}"
        self.partnership.broker_more = f'[management]\nlisten = "{self.address}"\n'
        super().start_broker()
        self.partnership.config(OPERATOR)

    def get(self, path, **headers):
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def status(self):
        return json.loads(self.get("/status.json")[1])

    def metric(self, series):
        found = re.search(rf"^{re.escape(series)} (\S+)$", self.get("/metrics")[1], re.MULTILINE)
        return float(found[1]) if found else None

    def alarms(self):
        return {alarm["code"]: alarm for alarm in self.status()["alarms"] if alarm["code"] not in SURROUNDINGS}

    def test_an_operator_sees_who_is_here_and_what_has_been_done(self):
        self.start_broker()
        self.assertEqual(self.get("/healthz"), (200, "ok\n"))
        publisher = Client(self, BENCH)
        publisher.publish(BENCH, b"Eve Example, 14 Example Street")
        publisher.wait_for("Confirm")
        here = 'flagpost_peer_sessions{agency="bench/1"}'

        def counted():
            list(publisher.heard(time.monotonic() + 0.1))  # and says that it is alive
            return self.metric("flagpost_published_total") == 1 and self.metric(here) == 1
        until(counted, 60, "it is counted")
        until(lambda: self.metric("flagpost_log_leaves") == self.metric("flagpost_log_signed_leaves"), 60, "the head covers it")
        peer = next(peer for peer in self.status()["peers"] if peer["agency"] == BENCH)
        self.assertEqual(peer["sessions"], 1)
        self.assertTrue(peer["certificate_ends"])
        self.assertGreater(self.metric("flagpost_certificate_end_time_seconds"), time.time() + 300 * 24 * 3600)
        publisher.close()
        until(lambda: self.metric(here) == 0, 60, "that it has left")

        over_the_wire = self.partnership.json("flagpost-broker", OPERATOR, "status")["standing"]
        self.assertEqual(over_the_wire["counts"]["published"], 1)
        self.assertEqual(set(over_the_wire), set(self.status()))
        words = self.partnership.run("flagpost-broker", OPERATOR, "status")
        self.assertRegex(words, r"^(Everything is working|1 thing needs somebody|\d+ things need somebody)\n")
        self.assertRegex(words, r"\npeers: \d of 4 connected\n")
        self.assertRegex(words, r"\ndisk: \d+ MiB of \d+ MiB free, kept back 64 MiB\npending_bytes: 0 of \d+\nwal_bytes: \d+ of \d+\n")
        page = self.get("/status")[1]
        self.assertRegex(page, r"<h1>(Everything is working|1 thing needs somebody|\d+ things need somebody)</h1>")
        self.assertIn(f"<td><span class=\"label\" aria-hidden=\"true\">Agency</span>{BENCH}</td>", page)
        told = self.get("/status.json")[1] + self.get("/metrics")[1] + words + page
        for secret in ("Eve", "Example Street", "FP-"):
            self.assertNotIn(secret, told)

    def test_what_nobody_may_see_or_change_is_refused(self):
        self.start_broker()
        self.assertEqual(self.get("/status.json", Host="attacker.example")[0], 421)
        self.assertEqual(self.get("/")[0], 404)
        self.assertEqual(self.get("/../../etc/passwd")[0], 404)

    def test_each_alarm_names_who_is_to_act_and_is_over_when_they_have(self):
        self.start_broker()
        self.assertFalse({"revocation_list_ends", "reserve_missing", "head_late"} & set(self.alarms()))
        database = self.pki / "ca-db" / "openssl.cnf"
        self.partnership.call("openssl", "ca", "-config", database, "-gencrl", "-crldays", "2", "-out", self.pki / ".crl.new")
        (self.pki / ".crl.new").rename(self.pki / "crl.pem")
        self.partnership.reload_broker()
        alarm = until(lambda: self.alarms().get("revocation_list_ends"), 60, "the list ends in two days")
        self.assertEqual((alarm["owner"], alarm["urgency"]), (OPERATOR, "soon"))
        self.assertRegex(alarm["what"], "^The revocation list ends in (47 hours|2 days)$")
        self.assertEqual(self.metric('flagpost_alarm{code="revocation_list_ends",about="",urgency="soon",owner="operator/duty"}'), 1)
        self.partnership.call(SOURCE / "certs" / "make-dev-pki", "--out", self.pki, "--renew-crl")
        self.partnership.reload_broker()
        until(lambda: "revocation_list_ends" not in self.alarms(), 60, "it is over")
        log = (self.folder / "broker.log").read_text()
        self.assertIn("alarm revocation_list_ends", log)
        self.assertIn("alarm revocation_list_ends  is over", log)

    def test_figures_are_kept_apart_from_the_log_and_hold_nothing_of_a_case(self):
        self.start_broker()
        self.config(FORCE)
        self.feed(FORCE)
        self.put(FORCE, "ravenscroft.csv", 3, "Seen by Jo Wren")
        self.all_are_confirmed(FORCE, 3)
        figures = self.folder / "broker-data" / "statistics.db"

        def counted(text, kind, agency, topic):
            rows = [row for row in csv.DictReader(text.splitlines()) if (row["kind"], row["agency"], row["topic"]) == (kind, agency, topic)]
            return sum(int(row["count"]) for row in rows)
        until(lambda: counted(self.get("/statistics.csv")[1], "published", "police", "incidents") == 3, 60, "they are counted")
        self.assertEqual(counted(self.get("/statistics.csv")[1], "decided", "broker", ""), 3)
        self.assertIn("/statistics.csv", self.get("/status")[1])
        leaves = self.leaves()
        self.assertEqual(self.stop_broker(), 0)

        # With the log gone, keys and all, the figures are the same: nobody who asks for them has it open.
        for file in (self.folder / "broker-data").glob("flagpost.db*"):
            file.rename(file.with_name("moved-" + file.name))
        text = self.partnership.call(BIN / "flagpost-broker", "statistics", "--config", self.folder / "broker.toml")
        self.assertEqual(counted(text, "published", "police", "incidents"), 3)
        self.assertEqual(counted(text, "keys_set", "broker", ""), 1)
        self.assertEqual(figures.stat().st_mode & 0o777, 0o600)
        of_the_case = {"ravenscroft", "Wren", "Worksop", "S80", "Theft", "Oak Road", "OCC", "police/31", "notts"}
        for leaf in leaves:
            for field in ("message", "session", "body", "agreement", "setting", "user", "certificate"):
                of_the_case.add(leaf.get(field) or "ravenscroft")
            of_the_case.update(leaf.get("subjects", []))
        raw = figures.read_bytes()
        for word in of_the_case:
            self.assertNotIn(word, text)
            self.assertNotIn(word.encode(), raw)
            if re.fullmatch("[0-9a-f]{32,}", word):
                self.assertNotIn(bytes.fromhex(word), raw)

    def keep_history(self, silent, watched):
        """Five weeks of 60 incidents an hour, then `silent` hours with none, which the broker watched or was away in."""
        this_hour = int(time.time()) // 3600
        hours = [{"hour": hour, "watched_us": 3_600_000_000, "counts": {"incidents/31": 60} if hour < this_hour - silent else {}}
                 for hour in range(this_hour - 24 * 35, this_hour) if watched or hour < this_hour - silent]
        (self.folder / "broker-data" / "volumes.json").write_text(json.dumps({"version": 1, "hours": hours}))

    def test_a_force_that_sends_less_than_usual_is_an_alarm_and_a_broker_that_was_away_is_not(self):
        self.start_broker()
        self.assertEqual(self.status()["volumes"], [])
        self.assertEqual(self.stop_broker(), 0)
        self.keep_history(silent=8, watched=False)
        self.start_broker()
        volume = until(lambda: self.status()["volumes"], 60, "the volumes are judged")[0]
        self.assertEqual((volume["topic"], volume["low"]), ("incidents/31", False))
        self.assertNotIn("volume_low", self.alarms())
        self.assertEqual(self.stop_broker(), 0)
        self.assertIn("incidents/31", (self.folder / "broker-data" / "volumes.json").read_text())

        self.keep_history(silent=8, watched=True)
        for _ in range(2):  # also from what the broker itself has kept
            self.start_broker()
            alarm = until(lambda: self.alarms().get("volume_low"), 60, "the force is silent")
            self.assertEqual((alarm["about"], alarm["urgency"], alarm["owner"]), (FORCE, "now", OPERATOR))
            self.assertRegex(alarm["what"], r"^\d+ incidents from police/31 in the last \d+ (hours|days), where the same hours of past weeks had about \d+")
            self.assertIn("Phone the force", alarm["to_do"])
            words = self.partnership.run("flagpost-broker", OPERATOR, "status")
            self.assertRegex(words, r"\nincidents/31: \d+ in \d+ hours, where about \d+ were to be expected\n")
            self.assertGreater(self.metric('flagpost_volume_expected{topic="incidents/31"}'), 100)
            self.assertEqual(self.stop_broker(), 0)

    def test_without_a_setting_nobody_listens(self):
        super().start_broker()
        self.assertNotIn("management", (self.folder / "broker.log").read_text())


main()
