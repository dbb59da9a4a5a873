#!/usr/bin/python3
"""Strangers and liars against a real broker: who is refused, how it is counted, and that nobody else notices."""

import collections
import json
import pathlib
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from flagpost import BIN, SOURCE, Scenario, main, until  # noqa: E402

GREETING = bytes([0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1]) + b"NULL".ljust(20, b"\0") + bytes(32)
READY_BODY = b"\x05READY" + b"\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
READY = bytes([4, len(READY_BODY)]) + READY_BODY
HEADER = "reference,version,status,occurred,recorded,category,domestic_abuse,line_1,town,postcode,people,circumstances\n"
MEMORY_MAX_KB = 400 * 1024


def message(content, more=False, announced=None):
    """One ZMTP frame in its long form."""
    size = len(content) if announced is None else announced
    return bytes([2 | more]) + struct.pack(">Q", size) + content


class Hostile(Scenario):
    agencies = ["police/31", "school/900001", "school/900002", "auditor/audit-office"]

    def setUp(self):
        super().setUp()
        self.partnership.call(SOURCE / "certs" / "make-dev-pki", "--out", self.pki, "--partnership", "nottinghamshire.example", "--zoo")
        self.port = self.start_broker()

    def context(self, identity, version=ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.pki / "ca.crt")
        context.minimum_version = context.maximum_version = version
        if identity is not None:
            context.load_cert_chain(identity / "tls.crt", identity / "tls.key")
        return context

    def connect(self, identity, **options):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        return self.context(identity, **options).wrap_socket(plain, server_hostname="localhost")

    def session(self, agency="police/31"):
        """A connection of somebody with a good certificate that has exchanged READY."""
        tls = self.connect(self.identity(agency))
        tls.sendall(GREETING + READY)
        received = b""
        while len(received) < 64 + 2 or len(received) < 64 + 2 + received[65]:
            received += tls.recv(4096)
        return tls

    def answer_of(self, tls):
        """Everything the broker still says, up to its end of the connection."""
        said = b""
        try:
            while part := tls.recv(65536):
                said += part
        except (ConnectionError, ssl.SSLError):
            pass
        return said

    def goodbye_in(self, said):
        """The reason of the Goodbye that the broker's last words hold, read by flatc as anybody could."""
        size, start = (said[1], 2) if said[0] == 0 else (struct.unpack(">Q", said[1:9])[0], 9)
        frame = self.folder / "last.bin"
        frame.write_bytes(said[start:start + size])
        self.partnership.call("flatc", "--json", "--strict-json", "--raw-binary", "-o", self.folder, SOURCE / "schemas" / "frame.fbs", "--", frame)
        last = json.loads((self.folder / "last.json").read_text())
        self.assertEqual(last["body_type"], "Goodbye")
        return last["body"]["reason"]

    def log(self):
        return (self.folder / "broker.log").read_text()

    def counted(self):
        counts = collections.Counter()
        for number, cause in re.findall(r"gate: refused (\d+): ([\w ]+)", self.log()):
            counts[cause] += int(number)
        return counts

    def memory_kb(self):
        status = pathlib.Path(f"/proc/{self.partnership.broker.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1])

    def leaves(self):
        """Every leaf of the log, by an auditor's export."""
        self.partnership.config("auditor/audit-office")
        export = self.folder / "export"
        shutil.rmtree(export, ignore_errors=True)
        self.partnership.run("flagpost-audit", "auditor/audit-office", "export", "--public", export)
        return [json.loads(line) for line in self.partnership.call(BIN / "flagpost-audit", "replay", export, "--json").splitlines()]

    def publish_a_day(self, name, count=50):
        """A force at its work: all of it must be confirmed whatever the others do."""
        spool = self.folder / "spool"
        spool.mkdir(exist_ok=True)
        rows = [f"{name}-{n},1,open,2025-03-04T21:10:00Z,2025-03-04T21:30:00Z,Theft,no,{n} Oak Road,Worksop,S80 1AB,[],Nothing\n" for n in range(count)]
        (spool / f".{name}").write_text(HEADER + "".join(rows))
        (spool / f".{name}").rename(spool / f"{name}.csv")
        self.partnership.config("police/31")
        self.partnership.run("flagpost-police", "police/31", "feed", "--spool", spool, "--once")
        status = self.partnership.json("flagpost-police", "police/31", "status")
        self.assertEqual((status["waiting"], status["refused"]), (0, 0))
        return status["confirmed"]

    def test_a_certificate_that_is_not_right_gets_nothing_parsed_and_is_counted(self):
        expected = {None: "no_certificate", "other-ca": "untrusted", "no-uri": "certificate", "two-uris": "certificate", "expired": "outside_validity",
                    "not-yet-valid": "outside_validity", "revoked": "revoked", "wrong-partnership": "other_partnership"}
        wanted = collections.Counter()
        for who, cause in expected.items():
            with self.subTest(who=who):
                before = self.counted()
                self.assert_turned_away(self.pki / "zoo" / who if who else None)
                wanted[cause] += 1
                until(lambda: self.counted() != before, 20, f"the refusal of {who} is counted")
                self.assertEqual(self.counted(), wanted)
        with self.subTest(who="TLS 1.2"):
            before = self.counted()
            self.assert_turned_away(self.identity("police/31"), version=ssl.TLSVersion.TLSv1_2)
            until(lambda: self.counted()["tls_version"] == 1, 20, "TLS 1.2 is counted")
        kinds = collections.Counter(leaf["kind"] for leaf in self.leaves())
        self.assertEqual(kinds["published"], 0)
        self.assertEqual(kinds["session_opened"], 1, "the auditor's own and no other")

    def assert_turned_away(self, identity, **options):
        """TLS 1.3 tells a client late: the handshake may look done, but nothing is ever answered."""
        try:
            with self.connect(identity, **options) as tls:
                tls.sendall(GREETING + READY)
                self.assertEqual(self.answer_of(tls), b"", "a stranger is told nothing")
        except (ConnectionError, ssl.SSLError):
            pass

    def test_a_school_is_refused_another_schools_mailbox_and_the_log_says_so(self):
        self.partnership.config("school/900001", topics=["notices/school/900002"])
        self.partnership.start("flagpost-school", "school/900001", "run")
        until(lambda: any(leaf["kind"] == "refused" for leaf in self.leaves()), 30, "the refusal is in the log")
        refused = [leaf for leaf in self.leaves() if leaf["kind"] == "refused"][0]
        self.assertIn("school/900001", refused["actor"])
        self.assertEqual(refused["outcome"], "not_permitted")
        self.assertEqual(refused["topic"], "notices/school/900002")

    def test_garbage_ends_its_own_session_with_a_typed_reason_and_nobody_elses(self):
        other = threading.Thread(target=self.publish_a_day, args=("others",))
        other.start()
        spoilt = {
            "not ZMTP at all": (b"GET / HTTP/1.1\r\n\r\n" * 10, None),
            "a truncated frame": (message(b"\x10\0\0\0FPF1\0\0"), "malformed"),
            "not a FlatBuffer": (message(b"\xff" * 500), "malformed"),
            "2 MiB announced and sent": (message(b"x" * (2 << 20)), "too_large"),
            "2^63 announced": (message(b"", announced=1 << 63), "too_large"),
            "endless multipart": (message(b"y" * 65536, more=True) * 64, "malformed"),
            "an unknown command": (bytes([4, 5]) + b"\x04JOIN", "malformed"),
        }
        for what, (content, reason) in spoilt.items():
            with self.subTest(what=what):
                tls = self.session() if reason else self.connect(self.identity("police/31"))
                with tls:
                    try:
                        tls.sendall(content)
                    except (ConnectionError, ssl.SSLError):
                        pass  # it may hang up before all of it is sent
                    said = self.answer_of(tls)
                if reason:
                    self.assertEqual(self.goodbye_in(said), reason)
        other.join()
        self.assertEqual(self.publish_a_day("after"), 100)
        self.assertLess(self.memory_kb(), MEMORY_MAX_KB)
        print(f"figure: peak memory of the broker under garbage {self.memory_kb() // 1024} MiB")
        self.assertIsNone(self.partnership.broker.poll(), "the broker is alive")

    def test_a_slow_reader_and_silent_connections_cost_the_others_nothing(self):
        idle = [self.session("school/900002") for _ in range(40)]
        self.assertEqual(self.publish_a_day("busy", 500), 500)
        for tls in idle:
            tls.close()

    def test_a_revoked_certificate_loses_its_live_session(self):
        tls = self.session("school/900002")
        subprocess.run([SOURCE / "certs" / "make-dev-pki", "--out", self.pki, "--revoke", "school/900002"], check=True, stdout=subprocess.DEVNULL)
        tls.settimeout(20)
        self.answer_of(tls)  # returns because the broker closes
        tls.close()
        until(lambda: "revoked" in self.log(), 20, "the log says why")
        self.assertEqual(self.publish_a_day("unaffected"), 50)


main()
