"""Figures of tests: each fault test says what it measured, in words and in build/test-figures.json.

    figure("T1", kills=50, acked_lost=0, restart_p99_ms=140)

Keys are the numbers of tests/README.md's table. Tests may run side by side, so the file is changed under a lock.
tests/support/figures.h does the same for C++.
"""

import fcntl
import json
import os
import pathlib

BUILD = pathlib.Path(os.environ.get("FLAGPOST_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))


def figure(test, **values):
    print(f"figure: {test} " + ", ".join(f"{name} {value}" for name, value in values.items()), flush=True)
    BUILD.mkdir(exist_ok=True)
    file = BUILD / "test-figures.json"
    with open(BUILD / "test-figures.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        figures = json.loads(file.read_text()) if file.exists() else {}
        figures.setdefault(test, {}).update(values)
        text = json.dumps(figures, indent=1, sort_keys=True) + "\n"
        new = file.with_suffix(".new")
        new.write_text(text)
        new.replace(file)
