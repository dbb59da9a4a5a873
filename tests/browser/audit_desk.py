#!/usr/bin/python3
"""An audit desk over a quarter's log made for it, for a browser test; it needs no broker.

Says where it is in one line of JSON, then obeys lines: damage, readings. Ends with its input."""

import json
import pathlib
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

from flagpost import BIN, Partnership, agreement_of  # noqa: E402

AUDITOR = "auditor/audit-office"
PEOPLE = (("jo", "Jo Wren"), ("al", "Al Moss"), ("cy", "Cy Hart"), ("di", "Di Lowe"), ("ed", "Ed Hale"))


COUNTED = (21, 24, 19, 22, 3, 5, 20, 26, 18, 23)  # April to January; a quarter was lost


def counted(folder):
    """What two managers handed out of their pages Reports."""
    head = "Authority,Month,Notices,ExpectedLow,ExpectedHigh,FlagListLate,ConnectionLost\n"
    months = [f"2025-{month:02}" for month in range(4, 13)] + ["2026-01"]
    large, small = folder / "large.csv", folder / "small.csv"
    large.write_text(head + "".join(
        f"E10000024,{month},{count},{'14,30' if place > 2 else ','},{'yes' if count < 6 else 'no'},{'yes' if month == '2025-11' else 'no'}\n"
        for place, (month, count) in enumerate(zip(months, COUNTED))))
    small.write_text(head + "".join(f"E06000018,{month},{'1 to 4' if place % 2 else 7},,,no,no\n" for place, month in enumerate(months)))
    return ["--notices", large, "--notices", small]


def damage(export):
    """One bit of one entry in the midst of the log."""
    file = sorted(export.glob("tile/entries/000*"))[0]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o600)
    file.write_bytes(content)


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="flagpost-"))
    try:
        (folder / "agreement.toml").write_text(agreement_of([AUDITOR]))
        with Partnership(folder, [AUDITOR], folder / "agreement.toml") as p:
            p.port = 1  # of no broker: nobody connects to one here
            p.config(AUDITOR, people="people.toml", organisation="Norham audit office", practice=True,
                     help="01632 960100, Monday to Friday 8am to 6pm", handling="Official, sensitive. Of the case alone.")
            p.call("openssl", "genpkey", "-algorithm", "X25519", "-out", folder / "seal.key")
            (folder / "seal.key").chmod(0o600)
            p.call("openssl", "pkey", "-in", folder / "seal.key", "-pubout", "-out", folder / "seal.pub")
            p.call(BIN / "make_audit_export", folder, folder / "seal.pub")
            people = {name: p.json("flagpost-audit", AUDITOR, "people", "add", name, "--called", called) for name, called in PEOPLE}
            export = folder / "export"
            _, url = p.serve_pages("flagpost-audit", AUDITOR, export, "--policy", folder / "policy.txt", "--key", folder / "seal.key", "--listen", "127.0.0.1:0", *counted(folder))
            _, keyless = p.serve_pages("flagpost-audit", AUDITOR, export, "--policy", folder / "policy.txt", "--listen", "127.0.0.1:0")
            print(json.dumps({"url": url, "keyless": keyless, "people": people, "home": "/audit"}), flush=True)
            for line in sys.stdin:
                answer = None
                if line.split() == ["damage"]:
                    damage(export)
                if line.split() == ["readings"]:
                    written = folder / "export.readings"
                    answer = [json.loads(each)["read"] for each in written.read_text().splitlines()] if written.exists() else []
                print(json.dumps(answer), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
