#!/usr/bin/python3
"""T11: the broker's clock jumps by an hour, by a day, to 2038, stands still, goes back. Nothing is wrongly late or handed on, each
jump is a leaf, sending goes on; and once somebody says that the time is right, what is due is due."""

import mmap
import pathlib
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import children  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import SOURCE, Scenario, main, until  # noqa: E402

FORCE, DUTY, AUDITOR, CARE = "police/31", "operator/duty", "auditor/audit-office", "social-care/E10000024"
HOUR_S, DAY_S, TO_2038_S = 3600, 86400, 12 * 365 * 86400
TICKS_S = 1.2  # some ticks of the broker: time in which it would act, if it did


class Clock(Scenario):
    agencies = [FORCE, DUTY, AUDITOR, CARE]

    def setUp(self):
        super().setUp()
        agreement = self.folder / "agreement.toml"
        agreement.write_text(agreement.read_text().replace('respond_within = "24h"\n', 'respond_within = "24h"\nescalate = [{to = "sender", after = "30m"}]\n'))
        shim, told = self.folder / "clock_shim.so", self.folder / "clock"
        self.partnership.call("c++", "-shared", "-fPIC", "-O1", "-o", shim, SOURCE / "tests" / "support" / "clock_shim.cpp")
        told.write_bytes(struct.pack("3q", 0, 0, 0))
        with open(told, "r+b") as file:
            self.told = mmap.mmap(file.fileno(), 24)
        plain = self.partnership.command_of
        self.partnership.command_of = lambda program, *arguments: plain(program, *arguments) if arguments[0] != "run" else [
            "env", f"LD_PRELOAD={shim}", f"FLAGPOST_CLOCK={told}", *plain(program, *arguments)]
        self.ahead_s, self.steps = 0, 0

    def tell(self, ahead_s=0, stands_at_us=0):
        self.ahead_s = ahead_s
        self.told[:] = struct.pack("3q", ahead_s * 1_000_000, stands_at_us, 0)

    def log(self):
        return (self.folder / "broker.log").read_text()

    def step(self, ahead_s):
        """Sets the broker's clock and waits until it has seen that, and had time to do wrong."""
        before = self.log().count("the clock stepped by")
        self.tell(ahead_s)
        self.steps += 1
        until(lambda: self.log().count("the clock stepped by") > before, 10, "the broker has seen the step")
        time.sleep(TICKS_S)

    def obligations(self):
        return self.partnership.json("flagpost-broker", DUTY, "obligations")

    def nothing_has_happened(self, count):
        owed = self.obligations()
        self.assertEqual([(each["with"], each["overdue"]) for each in owed], [(CARE, False)] * count)

    def feed(self, some, prefix):
        (self.folder / "spool" / f"{prefix}.csv").write_text(children.incidents(some, prefix))
        self.partnership.run("flagpost-police", FORCE, "feed", "--spool", self.folder / "spool", "--once")

    def confirm(self):
        self.partnership.run("flagpost-broker", DUTY, "confirm-clock", "--by", "Sam Patel", "--reason", "checked")
        time.sleep(TICKS_S)

    def restart(self):
        self.kill_broker()
        self.tell(0)
        self.start_broker()

    def owe_two(self):
        self.start_broker()
        p = self.partnership
        for agency in self.agencies:
            p.config(agency)
        (self.folder / "spool").mkdir()
        (self.folder / "flags.csv").write_text(children.flags(children.CHILDREN))
        p.run("flagpost-social-care", CARE, "flags", "load", self.folder / "flags.csv")
        self.feed(children.CHILDREN[:2], "NP")
        self.nothing_has_happened(2)

    def test_a_clock_that_jumps_makes_nothing_late_and_what_is_late_is_found_once_it_is_right(self):
        self.owe_two()
        self.step(HOUR_S)  # the next in line would have been asked
        self.nothing_has_happened(2)
        self.feed(children.CHILDREN[2:3], "NQ")  # sending is never held
        self.nothing_has_happened(3)
        self.step(HOUR_S + DAY_S)  # and all would be overdue
        self.nothing_has_happened(3)
        before = self.log().count("the clock stepped by")
        self.tell(self.ahead_s, time.time_ns() // 1000 + self.ahead_s * 1_000_000)  # stands still
        until(lambda: self.log().count("the clock stepped by") > before, 10, "a clock that stands still is noticed")
        self.nothing_has_happened(3)
        self.tell(self.ahead_s - 3)  # and goes on from there
        self.step(TO_2038_S)  # certificates are over by that clock: nobody can ask
        self.restart()  # in the present, which the operator confirms
        self.nothing_has_happened(3)
        self.confirm()
        self.nothing_has_happened(3)
        self.step(-HOUR_S)
        self.step(-DAY_S)
        self.nothing_has_happened(3)
        self.restart()
        self.nothing_has_happened(3)

        self.step(HOUR_S)  # control: this time it is true, and says so
        self.nothing_has_happened(3)
        self.confirm()
        # The third notice was issued while the clock was an hour ahead.
        until(lambda: sorted(each["with"] for each in self.obligations()) == [FORCE, FORCE, CARE], 10, "the next in line is asked")

        leaves = self.leaves(AUDITOR, "clock_step", "escalated", "overdue")
        stepped = [leaf["outcome"] for leaf in leaves if leaf["kind"] == "clock_step"]
        self.assertEqual(stepped, ["forward: held", "forward: held", "back", "forward: held", "confirmed", "back", "back", "forward: held", "confirmed"])
        late = [leaf for leaf in leaves if leaf["kind"] != "clock_step"]
        self.assertEqual(len(late), 2)
        figure("T11", steps=self.steps, clock_step_leaves=len(stepped), wrongly_late=0, wrongly_escalated=len(late) - 2)

    # The broker's time never goes back: after a jump ahead and back it is still a day ahead, and nothing may expire by it.
    def test_what_jumped_ahead_and_back_is_not_late_although_somebody_confirms_it(self):
        self.owe_two()
        self.step(HOUR_S + DAY_S)
        self.step(0)
        self.confirm()
        self.nothing_has_happened(2)


main()
