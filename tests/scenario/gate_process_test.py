#!/usr/bin/python3
"""The gate as a process of its own: the TLS key lives only there, neither its death nor the broker's loses anything, the log says which certificate it
showed and by which revocation lists it judged, and the broker's operator is called before either ends."""

import hashlib
import json
import pathlib
import ssl
import subprocess
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from flagpost import BIN, NAME, SOURCE, Failed, Scenario, free_port, main, until  # noqa: E402

HEADER = "reference,version,status,occurred,recorded,category,domestic_abuse,line_1,town,postcode,people,circumstances\n"
POLICE, FORCE, AUDITOR = "flagpost-police", "police/31", "auditor/audit-office"


class GateProcess(Scenario):
    agencies = [FORCE, AUDITOR]

    def setUp(self):
        super().setUp()
        self.port, self.address = free_port(), f"127.0.0.1:{free_port()}"
        self.partnership.port = self.port
        fabric = f'[fabric]\nendpoint = "ipc://{self.folder}/fabric/broker"\nkey = "{self.pki}/broker/fabric.key"\n'
        (self.folder / "fabric").mkdir(mode=0o750)
        (self.folder / "broker.toml").write_text(f'partnership = "{NAME}"\ndata = "broker-data"\npki = "{self.pki}"\n'
                                                 f'agreement = "{self.folder}/agreement.toml"\n{fabric}[management]\nlisten = "{self.address}"\n')
        (self.folder / "gate.toml").write_text(f'partnership = "{NAME}"\nlisten = "127.0.0.1:{self.port}"\npki = "{self.pki}"\n{fabric}')
        self.broker = self.start("flagpost-broker", "broker.toml")
        self.gate = self.start("flagpost-gate", "gate.toml")
        self.spool = self.folder / "spool"
        self.spool.mkdir()
        self.partnership.config(FORCE)
        self.partnership.start(POLICE, FORCE, "feed", "--spool", str(self.spool))

    def start(self, program, config):
        with open(self.folder / f"{program}.log", "ab") as log:
            process = subprocess.Popen([BIN / program, "run", "--config", self.folder / config], stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def feed(self, name, count):
        rows = [f"{name}-{n},1,open,2025-03-04T21:10:00Z,2025-03-04T21:30:00Z,Theft,no,{n} Oak Road,Worksop,S80 1AB,[],Nothing\n" for n in range(count)]
        (self.folder / f"{name}.csv").write_text(HEADER + "".join(rows))
        (self.folder / f"{name}.csv").rename(self.spool / f"{name}.csv")

    def counts(self):
        status = self.partnership.json(POLICE, FORCE, "status")
        return tuple(status[key] for key in ("waiting", "confirmed", "refused"))

    def all_are_confirmed(self, count):
        until(lambda: self.counts() == (0, count, 0), 60, f"all {count} are confirmed")

    def test_incidents_pass_through_it(self):
        self.feed("one", 300)
        self.all_are_confirmed(300)

    def test_a_killed_gate_loses_nothing(self):
        self.feed("before", 300)
        self.all_are_confirmed(300)
        for round_ in range(3):
            self.feed(f"round{round_}", 400)
            self.gate.kill()
            self.gate.wait()
            self.gate = self.start("flagpost-gate", "gate.toml")
        self.all_are_confirmed(1500)
        self.assertIsNone(self.broker.poll(), "the broker does not mind")

    def test_a_killed_broker_is_found_again_by_the_same_gate(self):
        self.feed("before", 300)
        self.all_are_confirmed(300)
        self.broker.kill()
        self.broker.wait()
        self.feed("after", 300)
        self.broker = self.start("flagpost-broker", "broker.toml")
        self.all_are_confirmed(600)
        self.assertIsNone(self.gate.poll(), "the gate outlives the broker")

    def exported(self):
        """Every leaf, by an export that verifies."""
        self.partnership.config(AUDITOR)
        self.partnership.run("flagpost-audit", AUDITOR, "export", "--public", self.folder / "export")
        self.verify(self.folder / "export")
        return [json.loads(line) for line in self.partnership.call(BIN / "flagpost-audit", "replay", self.folder / "export", "--json").splitlines()]

    def verify(self, export):
        return self.partnership.call(BIN / "flagpost-audit", "verify", export, "--vkey", self.pki / "broker" / "log.vkey")

    def lists(self):
        return [leaf for leaf in self.exported() if leaf["kind"] == "crl_set"]

    def test_the_lists_it_judges_by_are_in_the_log_before_anybody_it_let_in(self):
        self.feed("day", 1)
        self.all_are_confirmed(1)
        file = self.pki / "crl.pem"
        texts = [file.read_bytes()]
        kinds = [leaf["kind"] for leaf in self.exported()]
        self.assertEqual(kinds.count("crl_set"), 1)
        self.assertLess(kinds.index("crl_set"), kinds.index("session_opened"))

        # Changed on disk, the gate takes it without being told to; only read anew, or by another process, it is no news.
        self.partnership.call(SOURCE / "certs" / "make-dev-pki", "--out", self.pki, "--renew-crl")
        texts.append(file.read_bytes())
        until(lambda: len(self.lists()) == 2, 30, "the list in force now is in the log")
        for process, program, config in ((self.gate, "flagpost-gate", "gate.toml"), (self.broker, "flagpost-broker", "broker.toml")):
            process.kill()
            process.wait()
            self.start(program, config)
        before = file.read_bytes()
        self.partnership.call(SOURCE / "certs" / "make-dev-pki", "--out", self.pki, "--revoke", FORCE)
        texts.append(file.read_bytes())
        self.assertNotEqual(before, texts[-1])
        lists = until(lambda: len(found := self.lists()) >= 3 and found, 30, "and the one after that")
        self.assertEqual([leaf["setting"] for leaf in lists], [hashlib.sha256(text).hexdigest() for text in texts])
        self.assertEqual([leaf["number"] for leaf in lists], sorted({leaf["number"] for leaf in lists}))

        # Each text is in the export, and is insisted on.
        for leaf, text in zip(lists, texts):
            kept = self.folder / "export" / "policies" / f"{leaf['setting']}.pem"
            self.assertEqual(kept.read_bytes(), text)
            kept.rename(self.folder / "aside")
            with self.assertRaisesRegex(Failed, leaf["setting"]):
                self.verify(self.folder / "export")
            (self.folder / "aside").rename(kept)
        self.verify(self.folder / "export")

    def certificate(self):
        """SHA-256 of the DER of the one the gate shows, as the log names it."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert((self.pki / "broker" / "tls.crt").read_text())).hexdigest()

    def keys(self):
        """Each text of keys that was in force, as the export has it."""
        found = [leaf["setting"] for leaf in self.exported() if leaf["kind"] == "keys_set"]
        return [(self.folder / "export" / "policies" / f"{setting}.toml").read_text() for setting in found]

    def alarms(self):
        with urllib.request.urlopen(f"http://{self.address}/status.json", timeout=30) as answer:
            return {alarm["code"]: alarm for alarm in json.load(answer)["alarms"]}

    def new_certificate(self, days):
        """Of the same key, put in place whole; the gate takes it without being told to."""
        ca, own = self.pki / "ca", self.pki / "broker"
        extensions = ("subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid:always", "basicConstraints=critical,CA:FALSE",
                      "keyUsage=critical,digitalSignature", "extendedKeyUsage=serverAuth",
                      f"subjectAltName=URI:spiffe://{NAME}/broker/main,DNS:localhost,IP:127.0.0.1")
        self.partnership.call("openssl", "req", "-x509", "-config", self.pki / "ca-db" / "openssl.cnf", "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key", "-days",
                              str(days), "-key", own / "tls.key", "-subj", f"/O={NAME}/CN=broker-main", "-out", own / ".tls.new",
                              *(word for extension in extensions for word in ("-addext", extension)))
        (own / ".tls.new").rename(own / "tls.crt")

    def test_its_certificate_is_among_the_keys_and_the_broker_calls_before_its_files_end(self):
        self.feed("day", 1)
        self.all_are_confirmed(1)
        kinds = [leaf["kind"] for leaf in self.exported()]
        self.assertEqual(kinds.count("keys_set"), 1)
        self.assertLess(kinds.index("keys_set"), kinds.index("session_opened"))
        first = self.certificate()
        self.assertIn(f'tls_certificates = ["{first}"]', self.keys()[0])
        self.assertFalse({"certificate_ends", "revocation_list_ends"} & set(self.alarms()))

        # Both are about to end. Nobody tells the broker, which does not have the files.
        self.new_certificate(5)
        self.partnership.call("openssl", "ca", "-config", self.pki / "ca-db" / "openssl.cnf", "-gencrl", "-crldays", "2", "-out", self.pki / ".crl.new")
        (self.pki / ".crl.new").rename(self.pki / "crl.pem")
        both = until(lambda: len(found := {code: alarm for code, alarm in self.alarms().items() if code in ("certificate_ends", "revocation_list_ends")}) == 2 and found,
                     60, "somebody is called for both")
        self.assertEqual({alarm["urgency"] for alarm in both.values()}, {"soon"})
        self.assertRegex(both["certificate_ends"]["what"], "^The broker's certificate ends in (4|5) days$")
        self.assertRegex(both["revocation_list_ends"]["what"], "^The revocation list ends in (47 hours|2 days)$")
        until(lambda: len(self.keys()) == 2, 30, "the certificate shown now is in the log")
        second = self.certificate()
        self.assertNotEqual(first, second)
        self.assertIn(f'tls_certificates = ["{second}"]', self.keys()[1])
        self.assertEqual(self.keys()[0].replace(first, second), self.keys()[1], "nothing else has changed")

        # Renewed, they are over; started anew, gate or broker, it is no news.
        self.new_certificate(365)
        self.partnership.call(SOURCE / "certs" / "make-dev-pki", "--out", self.pki, "--renew-crl")
        until(lambda: not {"certificate_ends", "revocation_list_ends"} & set(self.alarms()), 60, "they are over")
        until(lambda: len(self.keys()) == 3, 30, "the third certificate is in the log")
        for process, program, config in ((self.gate, "flagpost-gate", "gate.toml"), (self.broker, "flagpost-broker", "broker.toml")):
            process.kill()
            process.wait()
            self.start(program, config)
            self.feed(f"after-{program}", 1)
            until(lambda: self.counts()[0] == 0, 60, "it goes on")
        self.assertEqual(len(self.keys()), 3)

    def test_a_gate_without_the_fabric_key_gets_nothing_through(self):
        key = self.folder / "wrong.key"
        key.write_text("00" * 32 + "\n")
        key.chmod(0o600)
        self.gate.kill()
        self.gate.wait()
        config = self.folder / "gate.toml"
        config.write_text(config.read_text().replace(f"{self.pki}/broker/fabric.key", str(key)))
        impostor = self.start("flagpost-gate", "gate.toml")
        self.feed("day", 10)
        until(lambda: self.counts()[0] == 10, 20, "the day is in the outbox")
        until(lambda: "no connection" in (self.folder / "police-31.log").read_text(), 30, "the force notices that it has no connection")
        self.assertEqual(self.counts(), (10, 0, 0))
        impostor.kill()


main()
