#!/usr/bin/python3
"""Heads, proofs, cosignatures and exports of the log hold for programs that share no code with it, and theirs for it.

Three makers and three judges: ours (log_cases.cpp), Go's golang.org/x/mod/sumdb (sumdb.go) and second_log.py. Each judge
must find in every case of the others exactly what its maker spoilt. Without Go the other two judge each other.
"""

import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import second_log  # noqa: E402
from figures import BUILD, figure  # noqa: E402
from flagpost import BIN, Scenario, main  # noqa: E402

TREES = int(os.environ.get("FLAGPOST_TREES", "300"))
SEED = 38
WORK = BUILD / "interop"
SUMDB_SOURCE = pathlib.Path("/usr/share/gocode/src/golang.org/x/mod/sumdb")
WITHOUT_GO = "not run: no Go (golang-go, golang-golang-x-mod-dev)"


def build_sumdb():
    """The path of the Go program, or nothing where Go is not there."""
    go = shutil.which("go")
    if not go or not SUMDB_SOURCE.is_dir():
        return None
    WORK.mkdir(parents=True, exist_ok=True)
    alone = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOCACHE=str(WORK / "go-cache"), GOFLAGS="", CGO_ENABLED="0")
    subprocess.run([go, "build", "-o", WORK / "sumdb", HERE / "sumdb.go"], env=alone, check=True)
    return WORK / "sumdb"


SUMDB = build_sumdb()
PROGRAMS = {"flagpost": [BIN / "log_cases"], "second": [sys.executable, HERE / "second_log.py"]}
if SUMDB:
    PROGRAMS["sumdb"] = [SUMDB]
BLIND_TO = {"sumdb": {"cosignature"}}  # Go's note package knows no cosignatures: it must pass over them


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)


def make(program):
    """A file with its cases."""
    cases = WORK / f"{program}.cases"
    with open(cases, "w") as out:
        subprocess.run([*PROGRAMS[program], "make", str(TREES), str(SEED)], stdout=out, check=True)
    return cases


def judge(program, cases):
    """{tree: what it says does not hold}"""
    with open(cases) as lines:
        said = run(*PROGRAMS[program], "check", stdin=lines, check=True).stdout
    return {int(tree): set(faults.split(",")) - {"-"} for tree, faults in map(str.split, said.splitlines())}


class Trees(unittest.TestCase):
    def test_each_judge_finds_in_the_cases_of_the_others_what_was_spoilt_and_nothing_else(self):
        WORK.mkdir(parents=True, exist_ok=True)
        judged, mismatches, spoilt = 0, 0, collections.Counter()
        for maker in PROGRAMS:
            cases = make(maker)
            with open(cases) as lines:
                wanted = {case["tree"]: set(case["fails"]) for case in map(json.loads, lines)}
            self.assertEqual(len(wanted), TREES)
            spoilt.update(fault for faults in wanted.values() for fault in faults)
            for program in PROGRAMS:
                found = judge(program, cases)
                wrong = {tree: (faults, found.get(tree)) for tree, faults in wanted.items() if faults - BLIND_TO.get(program, set()) != found.get(tree)}
                judged, mismatches = judged + len(wanted), mismatches + len(wrong)
                with self.subTest(maker=maker, judge=program):
                    self.assertEqual(wrong, {}, "tree: (spoilt, found)")
            cases.unlink()
        self.assertGreaterEqual(spoilt.keys(), {"head", "old_head", "root", "inclusion", "consistency", "cosignature"}, "each way of spoiling came up")
        figure("T38", trees=TREES, programs=len(PROGRAMS), judged=judged, mismatches=mismatches)
        if not SUMDB:
            print(f"golang.org/x/mod/sumdb: {WITHOUT_GO}", flush=True)


class Export(Scenario):
    agencies = ["police/31", "auditor/audit-office"]

    @unittest.skipUnless(SUMDB, WITHOUT_GO)
    def test_go_reads_an_export_of_a_running_broker_and_its_proofs(self):
        self.start_broker()
        self.partnership.config("auditor/audit-office")
        export = self.folder / "export"
        self.partnership.run("flagpost-audit", "auditor/audit-office", "export", "--public", export)
        vkey = (self.pki / "broker" / "log.vkey").read_text().strip()
        size = int(self.go("export", export, vkey).split()[0])
        for index in range(size):
            proof, leaf = self.folder / "one.tlog-proof", self.folder / "one.leaf"
            self.partnership.call(BIN / "flagpost-audit", "prove", export, index, "--out", proof, "--leaf", leaf)
            self.go("proof", proof, leaf, vkey)
            at, path, note = second_log.parse_proof(proof.read_text())
            head = second_log.open_head(note, second_log.Key.parse(vkey))
            self.assertEqual((at, second_log.root_of_path(at, head[0], second_log.leaf_hash(leaf.read_bytes()), path)), (index, head[1]))
            proof.unlink()
            leaf.unlink()

    @unittest.skipUnless(SUMDB, WITHOUT_GO)
    def test_go_reads_three_levels_of_tiles_and_finds_a_changed_one(self):
        export = self.folder / "large"
        self.assertEqual(run(BIN / "make_large_export", export, 66_000).returncode, 0)
        vkey = (export / "vkey").read_text().strip()
        self.assertTrue(self.go("export", export, vkey).startswith("66000 "))
        for name in ["tile/0/007", "tile/1/001.p/1", "tile/2/000.p/1", "tile/entries/123"]:
            with self.subTest(changed=name):
                file = export / name
                good = file.read_bytes()
                file.write_bytes(good[:10] + bytes([good[10] ^ 1]) + good[11:])
                self.assertEqual(run(SUMDB, "export", export, vkey).returncode, 1)
                file.write_bytes(good)

    def test_a_proof_made_elsewhere_is_checked_against_a_policy_with_witnesses(self):
        leaf, policy, proof = (self.folder / name for name in ("leaf", "policy.txt", "made.tlog-proof"))
        leaf.write_bytes(b"leaf 2 of tree 1")
        log = second_log.Signer("interop.example/second", second_log.NOTE, bytes([5] * 32))
        witnesses = [second_log.Signer(f"witness.example/{n}", second_log.COSIGNATURE, bytes([n] * 32)) for n in (6, 7, 8)]
        names = [f"w{n}" for n in range(3)]
        policy.write_text(f"log {log.key.text()}\n" + "".join(f"witness {name} {one.key.text()}\n" for name, one in zip(names, witnesses))
                          + f"group agencies 2 {' '.join(names)}\nquorum agencies\n")
        tree = second_log.Tree(second_log.leaves_of(1, 5))
        text = second_log.format_head(log.key.name, 5, tree.root())
        good = [witnesses[0].line(witnesses[0].blob(text, 1_700_000_000)), witnesses[2].line(witnesses[2].blob(text, 1_700_000_001))]
        failing = witnesses[1].line((1_700_000_002).to_bytes(8, "big") + witnesses[1].blob(text, 1_700_000_003)[8:])
        rows = [("two of three", good, 0), ("one of three", good[:1], 1), ("one of three, twice", [good[0]] * 2, 1), ("a third that fails", good + [failing], 1)]
        for why, lines, code in rows:
            with self.subTest(why):
                note = text + "\n" + log.line(log.blob(text)) + "".join(lines)
                proof.write_text(second_log.format_proof(2, tree.path(2, 0, 5), note))
                said = run(BIN / "flagpost-audit", "check", proof, leaf, "--policy", policy)
                self.assertEqual(said.returncode, code, said.stdout + said.stderr)

    def go(self, *words):
        said = run(SUMDB, *words)
        self.assertEqual(said.returncode, 0, said.stderr)
        return said.stdout


main()
