#!/usr/bin/python3
"""A force's row is taken out of the party list by mistake while its feed runs, and is put back: nothing in its outbox is refused for good, a single message asks
meanwhile, and all is confirmed once the row is there again."""

import pathlib
import re
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from feeding import AUDITOR, FORCE, Feeding  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import main, until  # noqa: E402

INCIDENTS = 200


class KeyWithdrawn(Feeding):
    agencies = [FORCE, AUDITOR]

    def give_parties(self, text):
        """Puts this in the place of the party list and has the broker read it."""
        parties = self.pki / "parties.toml"
        fresh = parties.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(parties)
        self.partnership.broker.send_signal(signal.SIGHUP)

    def test_a_key_that_is_gone_for_a_while_makes_no_dead_letters(self):
        self.start_broker()
        self.config(FORCE)
        whole = (self.pki / "parties.toml").read_text()
        rows = re.split(r"(?m)^(?=\[\[party\]\])", whole)
        without = "".join(row for row in rows if f'agency = "{FORCE}"' not in row)
        self.assertNotEqual(without, whole)

        self.feed(FORCE)
        until(lambda: self.connected(FORCE), 30, "the force is connected")
        self.give_parties(without)
        self.put(FORCE, "day.csv", INCIDENTS)
        until(lambda: "knows no key of ours" in self.said(FORCE), 60, "the adapter says what it waits for")
        self.assertEqual(self.counts(FORCE), (INCIDENTS, 0, 0), "all of it waits")
        self.give_parties(whole)
        self.all_are_confirmed(FORCE, INCIDENTS)

        leaves = self.leaves()
        refused = sum(leaf["kind"] == "refused" for leaf in leaves)
        published = [leaf["message"] for leaf in leaves if leaf["kind"] == "published" and leaf["topic"] == "incidents/31"]
        self.assertEqual((len(published), len(set(published))), (INCIDENTS, INCIDENTS))
        self.assertGreater(refused, 0)
        figure("key_withdrawn", incidents=INCIDENTS, refused_meanwhile=refused, dead_letters=0, confirmed_after=len(published))


main()
