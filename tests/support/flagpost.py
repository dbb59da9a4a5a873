"""What scenario tests share: a small partnership of real processes, and a broker that may be killed.

    from flagpost import Scenario, main

    class AThingHolds(Scenario):
        agencies = ["police/31", "school/122802"]
        def test_it(self):
            self.start_broker()
            ...
            self.kill_broker()          # kill -9
            self.start_broker()         # same port, same data

    main()

Adapters and configs: see tools/partnership.py, whose Partnership is `self.partnership`.
"""

import concurrent.futures
import io
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("FLAGPOST_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SOURCE / "tools"))

from partnership import BIN, NAME, Failed, Partnership, until  # noqa: E402, F401

RULES = """
[[share]]
id = "SC-1"
what = "social_care_notice"
from = "police"
to = "social-care"
purpose = "safeguarding"
legal_basis = ["CA2004-s10", "DPA2018-Sch8-4"]
fields = ["child", "flag", "reasons", "incident", "place", "circumstances", "children", "referral", "worker", "police_contact"]
respond_within = "24h"
retention = "notice"

[[share]]
id = "SCH-1"
what = "school_notice"
from = "police"
to = "school"
purpose = "safeguarding"
legal_basis = ["CA2004-s10", "DAA2021-s49A", "DPA2018-Sch8-4"]
fields = ["child", "incident", "child_present", "voice_of_child"]
respond_within = "16h"
retention = "notice"

[[share]]
id = "REV-1"
what = "review_item"
from = "police"
to = "social-care"
purpose = "safeguarding"
legal_basis = ["CA2004-s10", "DPA2018-Sch8-4"]
fields = ["incident", "subject", "why", "compared", "weights"]
respond_within = "4h"
retention = "notice"

[[share]]
id = "ASK-1"
what = "question"
from = "social-care"
to = "police"
purpose = "safeguarding"
legal_basis = ["CA2004-s10", "DPA2018-Sch8-4"]
fields = ["text", "by"]
respond_within = "24h"
retention = "notice"

[[share]]
id = "ASK-2"
what = "answer"
from = "police"
to = "social-care"
purpose = "safeguarding"
legal_basis = ["CA2004-s10", "DPA2018-Sch8-4"]
fields = ["text", "by"]
respond_within = "24h"
retention = "notice"
"""


def agreement_of(agencies, acts_for=None, areas=None):
    """The text of an agreement with these parties and the usual rules; `acts_for`: {agency: [agencies]}, `areas`: {force: [authorities]}."""
    text = f'partnership = "{NAME}"\n'
    for agency in agencies:
        text += f'\n[[party]]\nagency = "{agency}"\nname = "{agency}"\n'
        if agency in (acts_for or {}):
            text += f"acts_for = {acts_for[agency]!r}\n"
        if agency in (areas or {}):
            text += f"areas = {areas[agency]!r}\n"
    return text + RULES


def free_port():
    """A port nobody listens on now. For programs that cannot be told to choose one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Scenario(unittest.TestCase):
    agencies = ["police/31"]
    acts_for = {}
    areas = {}
    more_rules = ""  # of the agreement

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="flagpost-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        agreement = self.folder / "agreement.toml"
        agreement.write_text(agreement_of(self.agencies, self.acts_for, self.areas) + self.more_rules)
        self.partnership = Partnership(self.folder, self.agencies, agreement)
        self.addCleanup(self.partnership.close)
        self.pki = self.partnership.pki

    def start_broker(self):
        """Returns its port: the one it had before, if it was started before."""
        return self.partnership.start_broker()

    def kill_broker(self):
        """kill -9."""
        self.partnership.kill_broker()

    def stop_broker(self):
        """SIGTERM, and waits; returns its exit code."""
        return self.partnership.stop_broker()

    def start_signer(self):
        """By `signer.toml` in the folder; it runs until the test ends it, or ends."""
        with open(self.folder / "signer.log", "ab") as log:
            self.signer = subprocess.Popen([BIN / "flagpost-signer", "run", "--config", self.folder / "signer.toml"], stdout=subprocess.PIPE, stderr=log)
        self.addCleanup(self.signer.stdout.close)
        self.addCleanup(self.signer.wait)
        self.addCleanup(self.signer.kill)
        self.assertEqual(self.signer.stdout.readline(), b"ready\n")

    def leaves(self, auditor, *kinds):
        """The leaves of these kinds, as the auditor's export has them."""
        export = self.folder / "export"
        self.partnership.run("flagpost-audit", auditor, "export", "--public", export)
        lines = self.partnership.call(BIN / "flagpost-audit", "replay", export, "--json").splitlines()
        return [leaf for leaf in map(json.loads, lines) if leaf["kind"] in kinds]

    def identity(self, agency):
        """The folder with the certificate and keys of an agency."""
        return self.pki / agency.replace("/", "-")


def main():
    unittest.main(verbosity=2)


def main_side_by_side():
    """For tests that mostly wait: each in a thread of its own, all at once."""
    tests = [test for case in unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]) for test in case]
    wanted = [test for test in tests if len(sys.argv) < 2 or sys.argv[1] in test.id()]

    def run(test):
        said = io.StringIO()
        passed = unittest.TextTestRunner(said, verbosity=2).run(test).wasSuccessful()
        print(said.getvalue(), file=sys.stderr, flush=True)
        return passed
    with concurrent.futures.ThreadPoolExecutor(max(1, len(wanted))) as pool:
        passed = list(pool.map(run, wanted))
    sys.exit(0 if passed and all(passed) else 1)
