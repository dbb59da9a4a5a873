#!/usr/bin/python3
"""What a force hands over is published once each, whatever way it comes and whatever is killed on the way."""

import http.client
import json
import pathlib
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from feeding import AUDITOR, FORCE, Feeding, incidents  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import BIN, free_port, main, until  # noqa: E402

TOKEN = "0123456789abcdef-practice"


class PoliceIntake(Feeding):
    def start_import(self, file):
        log = open(self.folder / "import.log", "ab")
        self.addCleanup(log.close)
        return subprocess.Popen([BIN / "flagpost-police", "import", file, "--config", self.named(FORCE, ".toml")], stdout=log, stderr=log)

    def enqueued(self):
        return sum(self.counts(FORCE))

    def wait_closely(self, condition):
        """Until it is true, which the next moment may undo."""
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)

    def once_each(self, references):
        """Each reference is in the outbox once, and each message in the log once."""
        with sqlite3.connect(f"file:{self.named(FORCE, '.db')}?mode=rw", uri=True, timeout=30) as file:
            subjects = [row[0] for row in file.execute("SELECT subject FROM outgoing")]
        file.close()
        self.assertEqual(sorted(subjects), sorted(references))
        times = self.times_in_the_log()
        self.assertEqual((len(times), set(times.values())), (len(references), {1}))

    def test_a_backlog_killed_in_the_middle_goes_on_where_it_was(self):
        count, kills = 4000, 0
        self.start_broker()
        self.config(FORCE)
        backlog = self.folder / "backlog.csv"
        backlog.write_text(incidents("old", range(count)) + "old-bad,0,open,2025-03-04T21:10:00Z,,Theft,no,,,,[],\n")
        chance = random.Random(7)
        while True:
            before = self.enqueued()
            process = self.start_import(backlog)
            target = before + chance.randrange(1, 1200)
            self.wait_closely(lambda: self.enqueued() >= target or process.poll() is not None)
            if process.poll() is not None or kills == 4:
                break
            process.kill()
            process.wait()
            kills += 1
        self.assertEqual(process.wait(120), 1)  # one row was rejected
        self.assertGreaterEqual(kills, 2)
        self.all_are_confirmed(FORCE, count)
        self.assertIn("version: must be 1 or more", (self.folder / "backlog.csv.rejects.csv").read_text())
        self.assertIn("old-bad", (self.folder / "backlog.again.csv").read_text())
        self.once_each([f"old-{n}" for n in range(count)])
        again = self.start_import(backlog)
        self.assertEqual(again.wait(120), 1)
        self.assertEqual(self.enqueued(), count)
        figure("police backlog", incidents=count, kills=kills)

    def test_a_backlog_stopped_by_hand_names_no_file_that_is_not_there_yet(self):
        self.start_broker()
        self.config(FORCE)
        self.kill_broker()  # so that it waits
        backlog = self.folder / "backlog.csv"
        backlog.write_text(incidents("old", range(3)) + "old-bad,0,open,2025-03-04T21:10:00Z,,Theft,no,,,,[],\n")
        process = self.start_import(backlog)
        self.wait_closely(lambda: self.enqueued() == 3)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 1)
        said = (self.folder / "import.log").read_text()
        self.assertIn("Stopped before the end. The same command goes on where it was.", said)
        self.assertNotIn("backlog.again.csv", said)
        self.assertFalse((self.folder / "backlog.again.csv").exists())

    def test_what_lies_in_the_folder_and_is_never_taken_is_named(self):
        self.start_broker()
        self.config(FORCE)
        spool = self.folder / "handed-over"
        spool.mkdir()
        for name in ("day.csv", "DAY.TXT", "later.csv.part"):
            (spool / name).write_text(incidents("day", range(3)))
        done = subprocess.run([BIN / "flagpost-police", "feed", "--once", "--spool", spool, "--config", self.named(FORCE, ".toml")],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.decode().count("is left alone"), 1, done.stderr)
        self.assertIn("DAY.TXT: is left alone", done.stderr.decode())

    def post(self, port, body):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request("POST", "/incidents", json.dumps(body), {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def test_what_was_answered_202_is_published_though_the_program_is_killed_right_then(self):
        port, kills, told = free_port(), 0, []
        self.start_broker()
        (self.folder / "token").touch(0o600)
        (self.folder / "token").write_text(TOKEN)
        self.config(FORCE, http_listen=f"127.0.0.1:{port}", http_token="token")
        chance = random.Random(11)
        daemon = self.start_listening(port)
        for n in range(60):
            incident = {"reference": f"NP-{n}", "version": 1, "occurred": "2026-11-17T12:00:00Z", "domestic_abuse": False}
            if n % 12 == 11:  # killed somewhere around the next call
                killer = subprocess.Popen(["sh", "-c", f"sleep {chance.uniform(0, 0.02)}; kill -9 {daemon.pid}"])
                kills += 1
                try:
                    status = self.post(port, incident)[0]
                except (OSError, http.client.HTTPException, json.JSONDecodeError):
                    status = None
                killer.wait()
                daemon.wait()
                if status == 202:
                    told.append(incident["reference"])
                daemon = self.start_listening(port)
            status, answer = self.post(port, incident)  # as a caller does who was told nothing
            self.assertIn(status, (200, 202))
            if incident["reference"] in told:
                self.assertEqual(answer["incidents"][0]["result"], "known")
            told.append(incident["reference"])
        changed = {"reference": "NP-5", "version": 1, "occurred": "2026-11-17T12:00:00Z", "domestic_abuse": True}
        new = {"reference": "NP-new", "version": 1, "occurred": "2026-11-17T12:00:00Z", "domestic_abuse": False}
        status, answer = self.post(port, [new, changed])
        self.assertEqual((status, answer["problems"][0]["index"], answer["problems"][0]["field"]), (409, 1, "version"))
        self.all_are_confirmed(FORCE, 60)
        self.once_each([f"NP-{n}" for n in range(60)])
        daemon.terminate()
        self.assertEqual(daemon.wait(30), 0)
        figure("police endpoint", calls=len(told), kills=kills)

    def start_listening(self, port):
        daemon = self.partnership.start("flagpost-police", FORCE, "feed")

        def listens():
            self.assertIsNone(daemon.poll(), self.said(FORCE))
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                return True
            except OSError:
                return False
        until(listens, 30, "it listens")
        return daemon


main()
