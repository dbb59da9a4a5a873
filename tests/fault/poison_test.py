#!/usr/bin/python3
"""A message kills its consumer each time it arrives: after so many attempts it is put aside with its reason and an owner, those
behind it flow, the notice stays owed, and an operator puts it back when the consumer is mended."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import children  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import main, until  # noqa: E402
from stock import StockScenario  # noqa: E402

FORCE, DUTY, AUDITOR = "police/31", "operator/duty", "auditor/audit-office"
CARE, MAILBOX = "social-care/E10000024", "notices/social-care/E10000024"
POISON, ATTEMPTS_MAX = 2, 8  # limits::delivery_attempts_max


class Poison(StockScenario):
    agencies = [FORCE, DUTY, AUDITOR, CARE]

    def owe(self):
        """One notice to social care for each child."""
        self.start_broker()
        p = self.partnership
        for agency in self.agencies:
            p.config(agency, **({"topics": ["results/" + agency]} if agency == CARE else {}))
        flags, spool = self.folder / "flags.csv", self.folder / "spool"
        flags.write_text(children.flags(children.CHILDREN))
        p.run("flagpost-social-care", CARE, "flags", "load", flags)
        spool.mkdir()
        (spool / "day.csv").write_text(children.incidents(children.CHILDREN))
        p.run("flagpost-police", FORCE, "feed", "--spool", str(spool), "--once")

    def obligations(self):
        return self.partnership.json("flagpost-broker", DUTY, "obligations")

    def dead_letters(self):
        return self.partnership.json("flagpost-broker", DUTY, "dead-letters")

    def test_a_message_that_kills_its_consumer_goes_out_of_the_way_of_the_others(self):
        self.owe()
        endpoint = self.tunnel(self.identity(CARE))
        crashes = 0
        while not self.dead_letters() and crashes < ATTEMPTS_MAX:
            seen, refused = self.consume(endpoint, MAILBOX, 5, "--poison", POISON)
            self.assertIsNone(refused, "the consumer was killed")
            self.assertEqual(seen[-1]["number"], POISON)
            crashes += 1
            self.assertEqual(seen[-1]["attempt"], crashes)
        [dead] = until(self.dead_letters, 10, "it is a dead letter")
        self.assertEqual(crashes, ATTEMPTS_MAX)
        poison = seen[-1]["id"]
        self.assertEqual({key: dead[key] for key in ("topic", "number", "attempts", "reason", "owner", "notice")},
                         {"topic": MAILBOX, "number": POISON, "attempts": ATTEMPTS_MAX, "reason": "attempts", "owner": DUTY, "notice": poison})

        later, refused = self.consume(endpoint, MAILBOX, 3)  # those behind it
        self.assertEqual([each["number"] for each in later], [3, 4, 5])
        self.assertEqual(refused, [])
        states = {owed["notice"]: owed["state"] for owed in self.obligations()}
        self.assertEqual(states.pop(poison), "dead_letter", "it is still owed")
        self.assertEqual(sorted(states.values()), ["stored"] * 4)

        self.kill_broker()  # a dead letter outlives the process
        self.start_broker()
        self.assertEqual(self.dead_letters(), [dead])

        p = self.partnership
        p.run("flagpost-broker", DUTY, "reinsert", MAILBOX, str(POISON), "--by", "Sam Patel", "--reason", "consumer_mended")
        self.assertEqual(self.dead_letters(), [])
        mended, refused = self.consume(self.tunnel(self.identity(CARE)), MAILBOX, 1)
        self.assertEqual([(each["number"], each["id"]) for each in mended], [(6, poison)])
        self.assertEqual({owed["state"] for owed in self.obligations()}, {"stored"})

        put_aside, put_back = self.leaves(AUDITOR, "dead_lettered", "reinserted")
        self.assertEqual((put_aside["kind"], put_aside["number"], put_aside["outcome"]), ("dead_lettered", POISON, "attempts"))
        self.assertEqual((put_back["kind"], put_back["number"], put_back["outcome"]), ("reinserted", 6, "consumer_mended"))
        figure("T15", attempts=crashes, dead_lettered_with_reason=1, later_that_flowed=len(later), reinserted=1)


main()
