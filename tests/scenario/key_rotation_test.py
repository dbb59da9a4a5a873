#!/usr/bin/python3
"""The broker's keys are changed while agencies publish: nothing is lost, every body can be read as before, the log says which keys were in use when, and what was
kept under the old master key cannot be opened with it any more."""

import base64
import hashlib
import json
import pathlib
import re
import secrets
import sqlite3
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / folder) for folder in ("support", "interop")]

import second_log  # noqa: E402
from feeding import AUDITOR, FORCE, Feeding  # noqa: E402
from figures import figure  # noqa: E402
from flagpost import BIN, Failed, main, until  # noqa: E402
from outside_witness import OutsideWitness  # noqa: E402

CARE, AWAY, OPERATOR = "social-care/E10000024", "police/32", "operator/duty"


class NewLogKey(Feeding):
    """What whoever changes the log's key does."""

    def new_log_key(self):
        """Of a log of the same name: the key, and its verifier key (C2SP signed-note)."""
        key, vkey = self.folder / "new-log.key", self.folder / "new-log.vkey"
        self.partnership.call("openssl", "genpkey", "-algorithm", "ED25519", "-out", key)
        key.chmod(0o600)
        public = self.folder / "new-log.der"
        self.partnership.call("openssl", "pkey", "-in", key, "-pubout", "-outform", "DER", "-out", public)
        named = (self.pki / "broker" / "log.vkey").read_text().split("+")[0].encode()
        typed = b"\x01" + public.read_bytes()[-32:]
        vkey.write_text(f"{named.decode()}+{hashlib.sha256(named + bytes([10]) + typed).hexdigest()[:8]}+{base64.b64encode(typed).decode()}\n")
        return key, vkey

    def trusts(self, agency, vkey):
        config = self.named(agency, ".toml")
        config.write_text(config.read_text().replace(str(self.pki / "broker" / "log.vkey"), str(vkey)))

    def head_of(self, agency):
        """The head it remembers; nothing if it remembers none."""
        with sqlite3.connect(f"file:{self.named(agency, '.db')}?mode=rw", uri=True, timeout=30) as box:
            found = box.execute("SELECT value FROM fact WHERE name = 'log-checkpoint'").fetchone()
        box.close()
        note = found and found[0]
        return note.decode() if isinstance(note, bytes) else note

    def signed_by_both(self, agency):
        """The head it remembers, and will hold the broker to."""
        return self.head_of(agency).count("\u2014 " + (self.pki / "broker" / "log.vkey").read_text().split("+")[0] + " ") == 2


class KeyRotation(NewLogKey):
    agencies = [FORCE, CARE, AUDITOR, AWAY, OPERATOR]

    def setUp(self):
        super().setUp()
        self.start_broker()
        for agency in self.agencies:
            self.config(agency)
        self.force, self.care = self.feed(FORCE), self.start_care()
        self.fed = 0

    def start_care(self):
        return self.partnership.start("flagpost-social-care", CARE, "run")

    def publish(self, count):
        """Into the spool of the running feed."""
        self.put(FORCE, f"day{self.fed}.csv", count)
        self.fed += count

    def restart(self, keys):
        """With other keys; the agencies' daemons run on."""
        self.partnership.broker_more = f"[keys]\n{keys}"
        self.assertEqual(self.stop_broker(), 0)
        self.start_broker()

    def rows(self):
        """{entry: (ciphertext, wrap)} of the store's own file."""
        with sqlite3.connect(f"file:{self.folder}/broker-data/flagpost.db?mode=ro", uri=True, timeout=30) as store:
            found = {index: (body, wrap) for index, body, wrap in store.execute("SELECT idx, body, wrap FROM entry WHERE wrap IS NOT NULL")}
        store.close()
        return found

    def keys_in_the_log(self):
        return [leaf for leaf in self.leaves() if leaf["kind"] == "keys_set"]

    def all_can_be_read(self, count):
        export = self.folder / f"sealed-{self.fed}-{time.monotonic_ns()}"
        self.partnership.sealed_export(AUDITOR, export)
        said = self.partnership.call(BIN / "flagpost-audit", "decisions", export, "--key", self.folder / "seal.key", "--json")
        self.assertIn(f'"same":{count}', said.replace(" ", ""))

    def test_the_master_key_is_changed_and_no_body_is_touched(self):
        self.publish(300)
        self.all_are_confirmed(FORCE, self.fed)
        before = self.rows()
        old = self.pki / "broker" / "master.key"
        new = self.folder / "new-master.key"
        new.write_text(secrets.token_hex(32) + "\n")
        new.chmod(0o600)

        self.publish(300)  # under way while it stops
        self.restart(f'master = "{new}"\nmaster_previous = "{old}"\n')
        self.publish(300)
        until(lambda: "every wrap is under the new master key" in self.broker_log(), 60, "every wrap is moved")
        self.all_are_confirmed(FORCE, self.fed)
        after = self.rows()
        self.assertGreater(len(before), 300)
        for index, (body, wrap) in before.items():
            self.assertEqual(after[index][0], body, "no body is written anew")
            self.assertNotEqual(after[index][1], wrap, f"entry {index} is still under the old key")
        self.all_can_be_read(self.fed)

        # From here on the old one opens nothing and is needed for nothing.
        self.restart(f'master = "{new}"\n')
        self.publish(300)
        self.all_are_confirmed(FORCE, self.fed)
        self.all_can_be_read(self.fed)
        keys = self.keys_in_the_log()
        texts = [(self.folder / "export-0" / "policies" / f"{leaf['setting']}.toml").read_text() for leaf in keys]
        self.assertEqual(["master_previous" in text for text in texts], [False, True, False])
        self.assertEqual(len({text.split("master = ")[1].split()[0] for text in texts}), 2)
        self.assertEqual(self.stop_broker(), 0)
        self.partnership.broker_more = f'[keys]\nmaster = "{old}"\n'
        with self.assertRaises(Failed):
            self.start_broker()
        self.partnership.broker_more = f'[keys]\nmaster = "{new}"\n'
        self.start_broker()
        self.partnership.call(BIN / "flagpost-broker", "check", "--config", self.folder / "broker.toml")
        self.assertEqual(set(self.times_in_the_log().values()), {1}, "each is in the log once")
        figure("master key changed", published=self.fed, wraps_moved=len(before))

    def verified(self, *vkeys):
        """Whether auditors who trust each of these can take the log away and verify it; the last export that came about."""
        exports = []
        for place, vkey in enumerate(vkeys):
            export = self.folder / f"public-{place}-{time.monotonic_ns()}"
            self.config(AUDITOR)
            self.trusts(AUDITOR, vkey)
            try:
                self.partnership.run("flagpost-audit", AUDITOR, "export", "--public", export)
            except Failed as failed:
                self.assertIn("not signed by the log's key", str(failed))
                exports.append(None)
                continue
            self.partnership.call(BIN / "flagpost-audit", "verify", export, "--vkey", vkey)
            exports.append(export)
        return [export is not None for export in exports], [export for export in exports if export][-1]

    def replayed(self, export):
        return [json.loads(line) for line in self.partnership.call(BIN / "flagpost-audit", "replay", export, "--json").splitlines()]

    def here(self, agency):
        """Connects, by whatever command its program has that asks the broker something."""
        if agency == OPERATOR:
            return self.partnership.run("flagpost-broker", agency, "obligations")
        self.put(agency, f"here{time.monotonic_ns()}.csv", 1)
        return self.partnership.run("flagpost-police", agency, "feed", "--spool", str(self.spool(agency)), "--once")

    def follows(self, agency, program, old, new):
        """Of an agency that saw no head that both keys signed: it stops under either key, until a named person lets it begin anew."""
        def anew(*more):
            return self.partnership.run(program, agency, "new-log-key", *more, "--by", "T. Manager", "--reason", "was away; read to me by telephone")
        remembered, typed = self.head_of(agency), new.read_text().strip()
        with self.assertRaisesRegex(Failed, "head is not signed by the log's key"):
            self.here(agency)
        with self.assertRaisesRegex(Failed, "--vkey: is not the key in"):
            anew("--vkey", typed)  # its settings still name the old one
        with self.assertRaisesRegex(Failed, "not needed"):
            anew("--vkey", old.read_text().strip())
        self.trusts(agency, new)
        with self.assertRaisesRegex(Failed, "the log head remembered is not signed by the log's key"):
            self.here(agency)
        with self.assertRaisesRegex(Failed, "--vkey: is not the key in"):
            anew("--vkey", old.read_text().strip())
        self.assertEqual(self.head_of(agency), remembered)
        said = anew("--vkey", typed)
        kept = list(self.folder.glob(self.named(agency, ".db.head-*").name))
        self.assertEqual(len(kept), 1)
        self.assertIn(f"is forgotten and kept as evidence in {kept[0]}", said)
        self.assertIn("by: T. Manager\n", kept[0].read_text())
        self.assertIn(f"\nremembered:\n{remembered}", kept[0].read_text())
        self.assertIsNone(self.head_of(agency))
        self.here(agency)
        second_log.open_head(self.head_of(agency), second_log.Key.parse(typed))
        with self.assertRaisesRegex(Failed, "not needed"):
            anew("--vkey", typed)

    def signatures(self, export):
        """How many lines of the log itself stand under its head."""
        name = (self.pki / "broker" / "log.vkey").read_text().split("+")[0]
        return [line.split()[1] for line in (export / "checkpoint").read_text().splitlines() if line.startswith("\u2014")].count(name)

    def test_the_logs_key_is_changed_while_agencies_follow_one_by_one(self):
        old_key, old = self.pki / "broker" / "log.key", self.pki / "broker" / "log.vkey"
        new_key, new = self.new_log_key()
        self.publish(100)
        self.all_are_confirmed(FORCE, self.fed)
        absent = {AWAY: "flagpost-police", OPERATOR: "flagpost-broker"}  # from here until the old key is gone
        self.here(AWAY)
        self.here(OPERATOR)

        # Both sign: who knows the old key alone sees nothing of it, who knows the new one alone does not either.
        both = f'log_key = "{new_key}"\nlog_vkey = "{new}"\nlog_vkey_previous = "{old}"\n'
        self.restart(both + f'log_key_previous = "{old_key}"\n')
        self.publish(100)
        self.all_are_confirmed(FORCE, self.fed)
        until(lambda: self.signed_by_both(FORCE) and self.signed_by_both(CARE), 90, "each has been shown a head that both signed")
        holds, export = self.verified(old, new)
        self.assertEqual(holds, [True, True])
        self.assertEqual(self.signatures(export), 2)
        self.force.terminate()
        self.force.wait()
        self.trusts(FORCE, new)
        self.force = self.feed(FORCE)
        self.publish(100)
        self.all_are_confirmed(FORCE, self.fed)

        # The new one alone: who has not followed is told that this is not its log, and everybody else goes on.
        self.restart(both)
        self.publish(100)
        self.all_are_confirmed(FORCE, self.fed)
        self.assertIsNone(self.force.poll())
        until(lambda: self.care.poll() is not None, 60, "who still trusts the old key alone stops")
        self.assertIn("not signed by the log's key", self.said(CARE))
        holds, export = self.verified(old, new)
        self.assertEqual(holds, [False, True])
        self.assertEqual(self.signatures(export), 1)
        self.trusts(CARE, new)
        before = self.said(CARE).count("connected to the broker")
        self.care = self.start_care()
        until(lambda: self.connected(CARE, before + 1), 60, "and comes back once it trusts the new one")
        for agency, program in absent.items():
            self.follows(agency, program, old, new)
        settings = [leaf["setting"] for leaf in self.replayed(export) if leaf["kind"] == "keys_set"]
        texts = [(export / "policies" / f"{setting}.toml").read_text() for setting in settings]
        self.assertEqual([f'log = "{vkey.read_text().strip()}"' in texts[place] for place, vkey in ((0, old), (-1, new))], [True, True])
        self.partnership.call(BIN / "flagpost-broker", "check", "--config", self.folder / "broker.toml")
        self.assertEqual(self.stop_broker(), 0)
        self.partnership.broker_more = f'[keys]\nlog_key = "{new_key}"\nlog_vkey = "{old}"\n'
        with self.assertRaises(Failed):
            self.start_broker()
        self.assertIn("is not the key of", self.broker_log())
        figure("log key changed", published=self.fed, leaves=len(self.replayed(export)))


class ApartFromTheBroker(NewLogKey):
    """The log's key is in the signer alone, and a witness outside the partnership cosigns."""

    def setUp(self):
        super().setUp()
        self.old_key, self.old = self.pki / "broker" / "log.key", self.pki / "broker" / "log.vkey"
        (self.folder / "run").mkdir(mode=0o750)
        self.witness = OutsideWitness(self.folder, [self.old.read_text().strip()])
        self.witness_key = self.folder / "outside.vkey"
        self.witness_key.write_text(self.witness.key.text() + "\n")
        parties = self.pki / "parties.toml"
        days = re.findall(r'^(?:from|to) = "[^"]*"$', parties.read_text(), re.MULTILINE)[:2]
        parties.write_text(parties.read_text() + "\n".join(["", "[[witness]]", f'vkey = "{self.witness.key.text()}"', *days, ""]))
        for agency in self.agencies:  # so that the only cosignature can be the outside one
            (self.pki / agency.replace("/", "-") / "witness.key").unlink()
        self.signer = None
        self.sign_with(f'log_key = "{self.old_key}"\nlog_vkey = "{self.old}"\n')
        self.broker_with(f'log_key = "none"\nlog_vkey = "{self.old}"\n')
        self.config(FORCE)
        self.force, self.fed = self.feed(FORCE), 0

    def sign_with(self, keys):
        """The signer, started anew."""
        if self.signer:
            self.signer.kill()
            self.signer.wait()
        (self.folder / "signer.toml").write_text(f'state = "signer-state/last-head"\n[signer]\nsocket = "{self.folder}/run/signer"\n[keys]\n{keys}')
        self.start_signer()

    def broker_with(self, keys):
        if self.partnership.broker:
            self.assertEqual(self.stop_broker(), 0)
        self.partnership.broker_more = f'[signer]\nsocket = "{self.folder}/run/signer"\n[keys]\n{keys}'
        self.start_broker()

    def publish(self):
        self.put(FORCE, f"day{self.fed}.csv", 20)
        self.fed += 20
        self.all_are_confirmed(FORCE, self.fed)

    def auditor_trusts(self, vkey):
        self.config(AUDITOR)
        self.trusts(AUDITOR, vkey)

    def carry(self, vkey):
        """What an auditor who trusts this key says of carrying the newest head to the witness."""
        self.auditor_trusts(vkey)
        return self.partnership.run("flagpost-audit", AUDITOR, "carry", "--witness", self.witness.url, "--witness-key", self.witness_key)

    def verified(self, vkey):
        """By who insists on the witness; nothing is taken before a head has its cosignature."""
        policy, export = self.folder / "policy.txt", self.folder / f"insisted-{time.monotonic_ns()}"
        policy.write_text(f"log {vkey.read_text().strip()}\nwitness outside {self.witness.key.text()}\nquorum outside\n")
        self.auditor_trusts(vkey)
        self.partnership.run("flagpost-audit", AUDITOR, "export", "--public", export, "--policy", policy)
        self.assertIn("1 of 1 known witness cosigned this head", self.partnership.call(BIN / "flagpost-audit", "verify", export, "--policy", policy))
        return export

    def cosigned(self, *vkeys):
        """Carried and verified under each of these keys, one after the other."""
        sizes = []
        for vkey in vkeys:
            self.publish()
            said = until(lambda: (found := re.search(r"^cosigned: (\d+) entries", self.carry(vkey), re.MULTILINE)) and int(found[1]) > max(sizes, default=0) and found, 60,
                         "a newer head is cosigned")
            sizes.append(int(said[1]))
            self.verified(vkey)
        return sizes[-1]

    def test_signer_broker_and_outside_witness_follow_one_by_one(self):
        with self.witness:
            first = self.cosigned(self.old)

            # The broker first: it does not start, and says why. The signer with the new one alone: heads are late, nothing else is.
            new_key, new = self.new_log_key()
            both = f'log_key = "{new_key}"\nlog_vkey = "{new}"\nlog_vkey_previous = "{self.old}"\n'
            changed, other = f'log_key = "none"\nlog_vkey = "{new}"\nlog_vkey_previous = "{self.old}"\n', "does not sign with the key in keys.log_vkey"
            with self.assertRaisesRegex(Failed, other):
                self.broker_with(changed)
            self.partnership.kill_broker()
            self.partnership.broker = None
            self.broker_with(f'log_key = "none"\nlog_vkey = "{self.old}"\n')
            told = self.broker_log().count(other)
            self.sign_with(both)
            self.publish()
            until(lambda: self.broker_log().count(other) > told, 30, "the operator is told")
            self.assertIsNone(self.partnership.broker.poll())
            self.sign_with(both + f'log_key_previous = "{self.old_key}"\n')
            until(lambda: "the signer signs again" in self.broker_log(), 30, "heads are signed again")
            self.broker_with(changed)

            # Signed by both: whoever trusts either is content, and the witness knows the old one alone.
            second = self.cosigned(self.old, new)
            self.assertGreater(second, first)
            self.witness.logs = {key.name: key for key in [second_log.Key.parse(new.read_text().strip())]}
            third = self.cosigned(self.old, new)
            until(lambda: self.signed_by_both(FORCE), 90, "the force has been shown a head that both signed")
            self.force.terminate()
            self.force.wait()
            self.trusts(FORCE, new)
            self.force = self.feed(FORCE)

            # The new one alone, in the signer at once and in the broker never: it has no private half.
            self.sign_with(both)
            self.old_key.unlink()
            fourth = self.cosigned(new)
            self.assertGreater(fourth, third)
            with self.assertRaisesRegex(Failed, "not signed by the log's key"):
                self.carry(self.old)
            self.assertEqual(self.witness.heads[second_log.Key.parse(new.read_text().strip()).name][0], fourth)

            # A witness that was forgotten refuses, which is no alarm.
            self.witness.logs = {key.name: key for key in [second_log.Key.parse(self.old.read_text().strip())]}
            self.publish()
            with self.assertRaisesRegex(Failed, "does not know the key that signed this head"):
                self.carry(new)
            self.assertFalse(list(self.folder.glob("*.witness-alarm")))
            self.assertFalse({403, 422} & set(self.witness.answered[:-1]))
        figure("log key changed with signer and outside witness", cosigned=self.witness.answered.count(200), published=self.fed)


main()
