#!/usr/bin/python3
"""A consumer that never acknowledges, that does it twice, or that acknowledges what is not its own: nothing is lost by it,
nothing is closed by it, and what it may not say is refused."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import children  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import main  # noqa: E402
from stock import StockScenario  # noqa: E402

FORCE, DUTY, AUDITOR = "police/31", "operator/duty", "auditor/audit-office"
CARE, CITY, MAILBOX = "social-care/E10000024", "social-care/E06000018", "notices/social-care/E10000024"
CHILDREN = children.CHILDREN[:3]
UNKNOWN_MESSAGE = 15


class Acknowledgements(StockScenario):
    agencies = [FORCE, DUTY, AUDITOR, CARE, CITY]

    def owe(self):
        """One notice to social care for each child; returns when the broker lists them as owed."""
        self.start_broker()
        p = self.partnership
        for agency in self.agencies:
            p.config(agency, **({"topics": ["results/" + agency]} if agency == CARE else {}))
        flags, spool = self.folder / "flags.csv", self.folder / "spool"
        flags.write_text(children.flags(CHILDREN))
        p.run("flagpost-social-care", CARE, "flags", "load", flags)
        spool.mkdir()
        (spool / "day.csv").write_text(children.incidents(CHILDREN))
        p.run("flagpost-police", FORCE, "feed", "--spool", str(spool), "--once")
        self.assertEqual(self.states(), ["sent"] * len(CHILDREN))

    def states(self):
        return [owed["state"] for owed in self.partnership.json("flagpost-broker", DUTY, "obligations")]

    def test_who_misuses_acknowledgements_neither_loses_nor_closes_anything(self):
        self.owe()
        endpoint = self.tunnel(self.identity(CARE))
        wanted = [1, 2, 3]

        redeliveries = 0
        for attempt in (1, 2, 3):  # never acknowledges: the same again at each attach, nothing given up
            seen, refused = self.consume(endpoint, MAILBOX, 3, "--acknowledge", "none")
            self.assertEqual([(each["number"], each["attempt"]) for each in seen], [(number, attempt) for number in wanted])
            self.assertEqual(refused, [])
            redeliveries += len(seen) if attempt > 1 else 0
        self.assertEqual(self.states(), ["sent"] * 3)

        refusals = []
        for named in (["4"], ["1", "4"]):  # there is no such number yet: all of it or none
            refusals += self.consume(endpoint, MAILBOX, 3, "--acknowledge", *named)[1]
        other = self.tunnel(self.identity(CITY))  # whose own mailbox is empty
        refusals += self.consume(other, f"notices/{CITY}", 0, "--acknowledge", "1")[1]
        self.assertEqual(refusals, [UNKNOWN_MESSAGE] * 3)
        self.assertEqual(self.states(), ["sent"] * 3)

        self.consume(endpoint, MAILBOX, 3, "--acknowledge", "2", "2")  # twice in one breath
        self.assertEqual(sorted(self.states()), ["sent", "sent", "stored"])
        seen, refused = self.consume(endpoint, MAILBOX, 2, "--acknowledge", "3", "1", "3")
        self.assertEqual([each["number"] for each in seen], [1, 3])
        self.assertEqual(refused, [])
        self.assertEqual(self.states(), ["stored"] * 3)

        stored = [leaf["number"] for leaf in self.leaves(AUDITOR, "stored") if leaf["topic"] == MAILBOX]
        self.assertEqual(stored, [2, 3])  # each acknowledgement that said something new, by its highest number
        figure("T14", redeliveries=redeliveries, refusals=len(refusals), stored_leaves=len(stored), lost=0)


main()
