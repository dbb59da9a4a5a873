#!/usr/bin/python3
"""A social worker signs in with a browser, reads a notice, records what she did, and the broker knows. Real broker, real pages."""

import datetime
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import children  # noqa: E402
from flagpost import Scenario, main, until  # noqa: E402
from pages import Browser  # noqa: E402

FORCE, DUTY, CARE, AUDITOR = "police/31", "operator/duty", "social-care/E10000024", "auditor/audit-office"


class SocialCarePages(Scenario):
    agencies = [FORCE, DUTY, CARE, AUDITOR]

    def setUp(self):
        super().setUp()
        self.start_broker()
        p = self.partnership
        for agency in self.agencies:
            p.config(agency, **({"people": "people.toml", "organisation": "Norham County Council", "practice": True} if agency == CARE else {}))
        self.people = {name: p.json("flagpost-social-care", CARE, "people", "add", name, "--called", called, "--role", role)
                       for name, called, role in (("sam", "Sam Patel", "worker"), ("kim", "Kim Osei", "duty"), ("max", "Max Reid", "manager"),
                                                  ("fay", "Fay Dunn", "feeder"), ("ada", "Ada Low", "admin"))}
        (self.folder / "flags.csv").write_text(children.flags(children.CHILDREN[:3], worker="Sam Patel"))
        p.run("flagpost-social-care", CARE, "flags", "load", self.folder / "flags.csv")
        self.daemon, self.url = p.serve_pages("flagpost-social-care", CARE)
        spool = self.folder / "spool"
        spool.mkdir()
        (spool / "day.csv").write_text(children.incidents(children.CHILDREN[:3]))
        p.run("flagpost-police", FORCE, "feed", "--spool", spool, "--once")
        until(lambda: len(self.open()) == 3, 60, "three notices are owed")

    def open(self):
        return [each for each in self.partnership.json("flagpost-broker", DUTY, "obligations") if each["recipient"] == CARE]

    def states(self):
        return sorted(each["state"] for each in self.open())

    def signed_in(self, name):
        browser, person = Browser(self.url), self.people[name]
        inbox = browser.sign_in(name, person["password"], person["code_secret"])
        self.assertEqual(inbox.status, 200, inbox.text)
        return browser, inbox

    def notices(self, browser):
        def three():
            found = [link for link in browser.get("/inbox").links() if link.startswith("/notices/")]
            return found if len(found) == 3 else None
        return until(three, 60, "the inbox shows three notices")

    def test_opening_stops_no_clock_but_the_first_and_recording_closes(self):
        manager, _ = self.signed_in("max")
        link = self.notices(manager)[0]
        seen = manager.get(link)
        self.assertIn("You are not one of the people this was sent to", seen.words)
        self.assertNotIn("opened", self.states())

        sam, inbox = self.signed_in("sam")
        self.assertIn("Connected. Last heard from the broker at", inbox.words)
        self.assertEqual(inbox.headers["Cache-Control"], "no-store")
        for words in (sam.get(link, headers={"Sec-Purpose": "prefetch"}), sam.request("HEAD", link)):
            self.assertIn(words.status, (503, 405))
        self.assertNotIn("opened", self.states(), "prefetching and HEAD are no looking")
        page = sam.get(link)
        self.assertIn("This is information, not a referral. It does not replace a police referral. Police referral: not known", page.words)
        self.assertIn("Opening this page recorded that you saw this notice", page.words)
        until(lambda: self.states().count("opened") == 1, 30, "the broker knows that it was opened")
        self.assertEqual(len(self.notices(sam)), 3, "opening removes nothing")

        nothing = sam.post(page, link + "/record")
        self.assertEqual(nothing.status, 422)
        self.assertIn("Choose what you did", nothing.words)
        closed = sam.follow(sam.post(page, link + "/record", outcome="contacted"))
        self.assertIn("Recorded. This notice is closed.", closed.words)
        self.assertEqual(sam.post(page, link + "/record", outcome="contacted").status, 303, "a double click")
        until(lambda: len(self.open()) == 2, 30, "the broker knows that it is closed")
        self.assertIn("Received by Flagpost", sam.get(link).words)

        kim, _ = self.signed_in("kim")
        late = kim.request("POST", link + "/record", kim.get("/inbox").form("/sign-out") | {"outcome": "no_action"})
        self.assertEqual(late.status, 409)
        self.assertRegex(late.words, r"Sam Patel recorded this at \S+\. Your choice was not recorded\.")

        fay, _ = self.signed_in("fay")
        for path in ("/inbox", "/done", link, link + "/print", "/notices/FP-0000-0000"):
            self.assertEqual(fay.get(path).status, 404)
        forged = sam.request("POST", link + "/record", {"outcome": "known", "csrf": "00" * 64})
        self.assertEqual(forged.status, 400)
        elsewhere = sam.request("POST", link + "/record", page.form(link + "/record") | {"outcome": "known"}, headers={"Origin": "https://elsewhere.example"})
        self.assertEqual(elsewhere.status, 400)

        left = sam.post(page, "/sign-out")
        self.assertEqual(left.headers["Clear-Site-Data"], '"cache", "storage"')
        self.assertEqual(sam.get(link).headers["Location"], "/sign-in")

    def test_what_is_recorded_while_cut_off_is_kept_and_sent_later(self):
        sam, _ = self.signed_in("sam")
        link = self.notices(sam)[0]
        sam.get(link)
        until(lambda: self.states().count("opened") == 1, 30, "the broker knows that it was opened")
        self.kill_broker()
        until(lambda: "No connection to Flagpost since" in sam.get("/inbox").words, 60, "the page says that it is cut off")
        closed = sam.follow(sam.post(sam.get(link), link + "/record", outcome="no_action"))
        self.assertIn("Not yet received by Flagpost", closed.words)
        self.start_broker()
        until(lambda: len(self.open()) == 2, 60, "it was sent when the broker was back")
        until(lambda: "Received by Flagpost" in sam.get(link).words, 60, "and the page says so")

    def test_a_person_suspended_is_out_at_once(self):
        sam, _ = self.signed_in("sam")
        self.assertEqual(sam.get("/inbox").status, 200)
        people = self.folder / "people.toml"
        text = people.read_text()
        self.assertNotIn(self.people["sam"]["password"], text)
        people.write_text(text.replace("name = 'sam'", "name = 'sam'\nsuspended = true").replace('name = "sam"', 'name = "sam"\nsuspended = true'))
        self.assertEqual(sam.get("/inbox").headers["Location"], "/sign-in")

    def test_who_lets_somebody_in_by_hand_is_in_the_log_too(self):
        people = self.folder / "people.toml"
        people.write_text(people.read_text().replace("worker", "manager"))
        changes = until(lambda: [leaf for leaf in self.leaves(AUDITOR, "staff_changed") if leaf["outcome"] == "changed: manager"], 60, "the log says that Sam is a manager")
        self.assertEqual(len(changes), 1)

    def test_who_may_sign_in_is_in_the_log_and_nobodys_name_is(self):
        ada = Browser(self.url)
        ada.sign_in("ada", self.people["ada"]["password"], self.people["ada"]["code_secret"])
        for does, more in (("suspend", {}), ("reinstate", {}), ("change", {"called": "Fay Dunn", "role": "duty", "teams": ""})):
            self.assertEqual(ada.post(ada.get("/users/fay"), f"/users/fay/{does}", **more).status, 303)
        sam, _ = self.signed_in("sam")
        day = datetime.date.today().isoformat()
        self.assertEqual(sam.post(sam.get("/cover"), "/cover/set", away="sam", by="kim", **{"from": day, "until": day}).status, 303)
        self.assertEqual(sam.get(self.notices(sam)[0]).status, 200)

        def told():
            leaves = self.leaves(AUDITOR, "staff_changed", "opened")
            return leaves if len(leaves) == len(self.people) + 7 else None
        leaves = until(told, 60, "the log holds each change, and what Sam opened")
        changes = [leaf for leaf in leaves if leaf["kind"] == "staff_changed"]
        self.assertEqual([leaf["outcome"] for leaf in changes], ["added: worker", "added: duty", "added: manager", "added: feeder", "added: admin",
                                                                 "renewed", "suspended", "reinstated", "changed: duty", "renewed", "covered"])
        added_sam, added_kim, _, _, added_ada, renewed_ada, suspended, _, _, renewed_sam, covered = changes
        for renewed, added in ((renewed_ada, added_ada), (renewed_sam, added_sam)):
            self.assertEqual(renewed["subjects"], added["subjects"], "who chose a password of their own")
        self.assertEqual((renewed_ada["user"], renewed_sam["user"]), (suspended["user"], covered["user"]), "did so themselves")
        self.assertEqual({leaf["user"] for leaf in changes[:5]}, {added_sam["user"]}, "one account of the machine added them")
        self.assertNotEqual(suspended["user"], added_ada["user"], "it was Ada, with her own digest")
        self.assertEqual(covered["subjects"], [added_sam["subjects"][0], added_kim["subjects"][0]])
        [opened] = [leaf for leaf in leaves if leaf["kind"] == "opened"]
        self.assertEqual(opened["user"], covered["user"], "Sam said who covers, and opened a notice")
        self.assertTrue(all(leaf["actor"].endswith(CARE) for leaf in changes))
        for name in ("Sam", "Patel", "Ada", "Low", "Fay", "Kim"):
            self.assertNotIn(name, str(changes))


main()
