#!/usr/bin/python3
"""One byte changed in the broker's file, in a body, a leaf or a node, is found and named by the auditor."""

import os
import pathlib
import random
import re
import shutil
import sqlite3
import sys
import unittest

SOURCE = pathlib.Path(os.environ.get("FLAGPOST_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SOURCE / "tools"))
import county  # noqa: E402
from partnership import BIN, Failed  # noqa: E402

BUILD = pathlib.Path(os.environ.get("FLAGPOST_BUILD", SOURCE / "build")) / "scenario"


def open_quietly(database):
    """Beside the broker, which alone may move its WAL: two that do so can lose pages."""
    file = sqlite3.connect(database, timeout=10)
    file.execute("PRAGMA wal_autocheckpoint = 0")
    return file


def flip(database, table, column, where, values, rng):
    """Changes one byte of one blob, as somebody with the file and no keys could. Returns the blob as it was."""
    with open_quietly(database) as file:
        before = file.execute(f"SELECT {column} FROM {table} WHERE {where}", values).fetchone()[0]
        blob = bytearray(before)
        blob[rng.randrange(len(blob))] ^= 1 << rng.randrange(8)
        file.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (bytes(blob), *values))
    file.close()
    return before


def restore(database, table, column, where, values, blob):
    with open_quietly(database) as file:
        file.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (blob, *values))
    file.close()


class Tamper(unittest.TestCase):
    def test_a_changed_byte_is_found_and_named(self):
        files = county.make(BUILD / "county-village", 5, scale="village")
        shutil.rmtree(BUILD / "tamper", ignore_errors=True)
        world = county.County(files, BUILD / "tamper", pki=BUILD / "pki")
        p, rng = world.partnership, random.Random(5)
        with p:
            world.start()
            world.load()
            world.feed("day")
            world.wait_until_stored()
            self.assertEqual(self.audit(world), [], "before anything is changed, all is well")
            database = next((p.folder / "broker-data").glob("*.db"))
            with sqlite3.connect(database) as file:
                size = file.execute("SELECT count(*) FROM entry").fetchone()[0]
                bodies = [row[0] for row in file.execute("SELECT idx FROM entry WHERE body IS NOT NULL")]
            file.close()
            changes = [("entry", "body", "idx = ?", (rng.choice(bodies),)) for _ in range(4)]
            changes += [("entry", "leaf", "idx = ?", (rng.randrange(size // 256 * 256),)) for _ in range(4)]
            changes += [("tile", "hashes", "level = ? AND number = ?", (0, rng.randrange(size // 256))) for _ in range(3)]
            changes += [("tile", "hashes", "level = ? AND number = ?", (1, 0))]
            # A changed node stops the broker itself, at the next head it would sign; bodies and leaves it hands out as they lie.
            for change in [c for c in changes if c[0] == "entry"]:
                with self.subTest(change=change, judge="the auditor, from an export of the running broker"):
                    before = flip(database, *change, rng)
                    self.assert_named(change, self.audit(world))
                    restore(database, *change, before)
            self.assertEqual(self.audit(world), [])
            for tile in sorted((p.folder / "export" / "tile").glob("[0-9]*/**/*")):
                if tile.is_file():
                    with self.subTest(tile=tile.name, judge="the auditor, on an export changed under way"):
                        before = tile.read_bytes()
                        place = rng.randrange(len(before))
                        tile.write_bytes(before[:place] + bytes([before[place] ^ 1]) + before[place + 1:])
                        self.assert_named(("tile", None, None, None), self.verify(p))
                        tile.write_bytes(before)
            p.stop_broker()
            for change in changes:
                with self.subTest(change=change, judge="the operator's check of the store"):
                    before = flip(database, *change, rng)
                    self.assert_named(change, self.said_by(p.call, BIN / "flagpost-broker", "check", "--config", p.folder / "broker.toml"))
                    restore(database, *change, before)

    def assert_named(self, change, damages):
        table, _, _, values = change
        wanted = str(values[0]) if table == "entry" else "tile"
        self.assertTrue(any(re.search(rf"\b{wanted}\b", line) for line in damages), (change, damages))

    def audit(self, world):
        p, export = world.partnership, world.partnership.folder / "export"
        shutil.rmtree(export, ignore_errors=True)
        # An auditor who comes for the first time, so that nothing but the export can tell them.
        for kept in p.folder.glob("auditor-audit-office.db*"):
            kept.unlink()
        p.sealed_export(county.AUDITOR, export)
        return self.verify(p)

    def verify(self, p):
        return self.said_by(p.call, BIN / "flagpost-audit", "verify", p.folder / "export", "--vkey", p.pki / "broker" / "log.vkey")

    @staticmethod
    def said_by(call, *command):
        """What a checking program complains of; nothing when it ends well."""
        try:
            call(*command)
            return []
        except Failed as failure:
            return str(failure).splitlines()[1:]


if __name__ == "__main__":
    unittest.main(verbosity=2)
