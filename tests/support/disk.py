"""A disk that fails on order, for real processes: tests/support/faulty_disk.cpp, put in front of one with LD_PRELOAD.

    disk = Disk(folder / "disk", under=folder / "broker-data")
    put_before(partnership, {"flagpost-broker": disk})
    disk.set(crash_at=17, lose=ALL)      # also while the process runs
    disk.get("operations")

Operations are writes, syncs, truncations and changes of names, counted in one row; opening an existing file is none.
"""

import mmap
import os
import pathlib
import struct

from flagpost import BIN

FIELDS = ("operations", "synced", "crashed", "crash_at", "crash_after", "lose", "seed", "fail_from", "fail_times", "fail_kinds", "fail_errno",
          "wal_sync_lies", "sync_ms")
UNDER = 1024
WRITES, SYNCS, SIZES, NAMES = 1, 2, 4, 8  # fail_kinds, added up
KEEPS, ALL, TORN = 0, 1, 2                # lose: what a crash and the end of the process take of what is not synced
ALWAYS = 2**63                            # fail_times

LIBRARY = pathlib.Path(os.environ.get("FLAGPOST_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build")) / "lib" / "faulty_disk.so"


class Disk:
    def __init__(self, plan, under):
        self.plan = pathlib.Path(plan).resolve()
        self.plan.write_bytes(struct.pack(f"<{len(FIELDS)}Q", *[0] * len(FIELDS)) + str(pathlib.Path(under).resolve()).encode().ljust(UNDER, b"\0"))
        with open(self.plan, "r+b") as file:
            self.block = mmap.mmap(file.fileno(), 0)
        self.command = ["/usr/bin/env", f"LD_PRELOAD={LIBRARY}", f"FLAGPOST_DISK={self.plan}"]

    def get(self, field):
        return struct.unpack_from("<Q", self.block, FIELDS.index(field) * 8)[0]

    def set(self, **fields):
        for field, value in fields.items():
            struct.pack_into("<Q", self.block, FIELDS.index(field) * 8, value)

    def good(self):
        """As new: counts from nothing, and nothing fails."""
        self.set(**dict.fromkeys(FIELDS, 0))


def put_before(partnership, disks):
    """Which programs of it run on which disk from now on; the others on a good one."""
    partnership.command_of = lambda program, *arguments: [*(disks[program].command if program in disks else []), BIN / program, *arguments]
