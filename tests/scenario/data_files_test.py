#!/usr/bin/python3
"""A data file that cannot be used is named by each program, whatever is wrong with it, and nothing else happens to it."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from flagpost import BIN, Scenario, free_port, main  # noqa: E402

POLICE, CARE, SCHOOL, AUDITOR, OPERATOR = "police/31", "social-care/E10000024", "school/122802", "auditor/office", "operator/duty"
GARBAGE = b"this is not a database, however long it is"
COMMANDS = ((POLICE, "flagpost-police", "status"), (CARE, "flagpost-social-care", "inbox", "list"), (SCHOOL, "flagpost-school", "status"),
            (AUDITOR, "flagpost-audit", "export", "--public", "export"), (OPERATOR, "flagpost-broker", "status"))


class DataFiles(Scenario):
    agencies = [POLICE, CARE, SCHOOL, AUDITOR, OPERATOR]

    def setUp(self):
        super().setUp()
        self.partnership.port = free_port()
        (self.folder / "people.toml").touch(0o600)

    def said(self, config, program, *words):
        """Exit code and what was said on stderr."""
        done = subprocess.run([BIN / program, *words, "--config", config], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        return done.returncode, done.stderr.decode()

    def test_what_cannot_be_used_is_named(self):
        for agency, program, *words in COMMANDS:
            config, data = self.partnership.config(agency), self.folder / f"{agency.replace('/', '-')}.db"
            data.write_bytes(GARBAGE)
            code, said = self.said(config, program, *words)
            self.assertEqual(code, 1, said)
            self.assertIn(f"{program}: {data}: file is not a database. If another file was meant", said)
            self.assertEqual(data.read_bytes(), GARBAGE)
            data.unlink()
            data.mkdir()
            code, said = self.said(config, program, *words)
            self.assertEqual(code, 1, said)
            self.assertIn(f"{data}: Is a directory", said)
            data.rmdir()

    def test_what_is_found_damaged_later_is_named_by_its_config(self):
        config, data = self.partnership.config(POLICE), self.folder / "police-31.db"
        self.assertEqual(self.said(config, "flagpost-police", "status")[0], 0)
        whole = data.read_bytes()
        data.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
        code, said = self.said(config, "flagpost-police", "status")
        self.assertEqual(code, 1)
        self.assertRegex(said, f"({data}|a data file of {config}): database disk image is malformed. If another file was meant")

    def test_what_the_pages_keep_is_named_too(self):
        config, data = self.partnership.config(CARE, people="people.toml", listen="127.0.0.1:0"), self.folder / "social-care-E10000024.db"
        for beside in (".pages", ".flags"):
            kept = data.with_name(data.name + beside)
            kept.write_bytes(GARBAGE)
            code, said = self.said(config, "flagpost-social-care", "serve")
            self.assertEqual(code, 1, said)
            self.assertIn(f"flagpost-social-care: {kept}: file is not a database", said)
            kept.unlink()

    def test_a_second_program_says_no_word_of_being_ready(self):
        self.start_broker()
        for agency, program in ((CARE, "flagpost-social-care"), (SCHOOL, "flagpost-school")):
            config = self.partnership.config(agency, people="people.toml", listen="127.0.0.1:0")
            self.partnership.serve_pages(program, agency)
            second = [BIN / program, "serve", "--config", config]
            done = subprocess.run(second, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn(b": another program already serves it", done.stderr)

    def test_the_broker_names_its_store(self):
        self.start_broker()
        self.assertEqual(self.stop_broker(), 0)
        store = self.folder / "broker-data" / "flagpost.db"
        store.write_bytes(GARBAGE)
        for command in ("run", "check"):
            code, said = self.said(self.folder / "broker.toml", "flagpost-broker", command)
            self.assertEqual(code, 70, said)
            self.assertIn(f"cannot be added to: {store}: ", said)
            self.assertIn("file is not a database", said)


main()
