#!/usr/bin/python3
"""A practice partnership is made whole, kept on a second run, and revoked from party by party."""

import base64
import hashlib
import os
import pathlib
import stat
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("FLAGPOST_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
AGENCIES = ["police/31", "social-care/E10000024", "school/122802"]


def pki(folder, *arguments):
    return subprocess.run([SOURCE / "certs" / "make-dev-pki", "--out", folder, *arguments], capture_output=True, text=True, timeout=60)


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], capture_output=True, timeout=60, check=True).stdout


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in pathlib.Path(folder).rglob("*") if p.is_file()}


class MakeDevPki(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.out = pathlib.Path(self.directory.name) / "pki"
        made = self.make(*AGENCIES)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(made.stderr, "")

    def make(self, *agencies):
        listed = [part for agency in agencies for part in ("--agency", agency)]
        return pki(self.out, "--partnership", "notts.example", *listed)

    def test_nobody_but_the_owner_can_use_a_key(self):
        keys = list(self.out.rglob("*.key"))
        self.assertEqual(len(keys), 1 + 7 + 3 * len(AGENCIES))
        for key in keys:
            self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600, key)

    def test_every_party_has_one_name_and_one_purpose(self):
        for agency in AGENCIES:
            text = openssl("x509", "-in", self.out / agency.replace("/", "-") / "tls.crt", "-noout", "-text").decode()
            self.assertEqual(text.count("URI:"), 1)
            self.assertIn(f"URI:spiffe://notts.example/{agency}", text)
            self.assertIn("TLS Web Client Authentication\n", text)
            self.assertNotIn("TLS Web Server Authentication", text)
        text = openssl("x509", "-in", self.out / "broker" / "tls.crt", "-noout", "-text").decode()
        self.assertIn("URI:spiffe://notts.example/broker/main, DNS:localhost", text)
        self.assertIn("TLS Web Server Authentication\n", text)
        self.assertNotIn("TLS Web Client Authentication", text)

    def test_a_verifier_key_is_the_public_half_of_its_file(self):
        for folder, file, name, kind in (("broker", "log", "notts.example/log", 1), ("police-31", "witness", "notts.example/police-31", 4)):
            der = openssl("pkey", "-in", self.out / folder / f"{file}.key", "-pubout", "-outform", "DER")
            key = bytes([kind]) + der[-32:]
            number = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex()
            expected = f"{name}+{number}+{base64.b64encode(key).decode()}\n"
            self.assertEqual((self.out / folder / f"{file}.vkey").read_text(), expected)

    def test_a_second_run_keeps_everything_but_the_revocation_list(self):
        before = contents(self.out)
        self.assertEqual(self.make(*AGENCIES).returncode, 0)
        after = contents(self.out)
        changed = {name for name in before | after if before.get(name) != after.get(name)}
        self.assertTrue(changed and all(name == "crl.pem" or name.startswith("ca-db/") for name in changed), changed)

    def test_another_party_is_added_beside_the_others(self):
        before = contents(self.out)
        self.assertEqual(self.make("auditor/audit-office").returncode, 0)
        after = contents(self.out)
        self.assertTrue(after["parties.toml"].startswith(before["parties.toml"]))
        self.assertEqual(after["parties.toml"].count(b"[[party]]"), 4)
        self.assertIn("auditor-audit-office/origin.key", after)

    def test_a_party_that_was_only_half_made_is_made_anew(self):
        half = self.out / ".making"
        half.mkdir()
        (half / "tls.key").write_text("half")
        self.assertEqual(self.make("police/12").returncode, 0)
        self.assertEqual(len(list((self.out / "police-12").iterdir())), 5)
        self.assertFalse(half.exists())

    def test_a_revoked_party_is_on_the_list_and_no_other(self):
        for _ in range(2):
            self.assertEqual(pki(self.out, "--revoke", "school/122802").returncode, 0)
        revoked = openssl("crl", "-in", self.out / "crl.pem", "-noout", "-text").decode()
        serial = openssl("x509", "-in", self.out / "school-122802" / "tls.crt", "-noout", "-serial").decode().strip().split("=")[1]
        self.assertEqual(revoked.count("Serial Number:"), 1)
        self.assertIn(f"Serial Number: {serial}", revoked)

    def test_a_renewed_list_has_a_higher_number(self):
        def number():
            return openssl("crl", "-in", self.out / "crl.pem", "-noout", "-crlnumber")

        before = number()
        self.assertEqual(pki(self.out, "--renew-crl").returncode, 0)
        self.assertGreater(number(), before)

    def test_wrong_use_is_said_and_changes_nothing(self):
        before = contents(self.out)
        for arguments in (["--agency", "police"], ["--agency", "army/1"], ["--agency", "police/../31"], ["--partnership", "kent.example"],
                          ["--revoke", "school/999"], ["--agencies", "/nowhere"], ["--frobnicate"], ["--agency"]):
            with self.subTest(arguments):
                done = pki(self.out, *arguments)
                self.assertEqual(done.returncode, 2)
                self.assertTrue(done.stderr.startswith("make-dev-pki: "))
        self.assertEqual(contents(self.out), before)


if __name__ == "__main__":
    unittest.main()
