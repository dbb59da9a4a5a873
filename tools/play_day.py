"""The demo's day: every agency a real process, every check against the truth file. Called by tools/demo."""

import argparse
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import county
from partnership import BIN, SOURCE, Failed

BUILD = SOURCE / "build" / "demo"


def say(text=""):
    """One paragraph, wrapped; what begins with two spaces stays indented."""
    indent = "  " if text.startswith("  ") else ""
    print(textwrap.fill(text, 110, subsequent_indent=indent * 2, break_long_words=False, break_on_hyphens=False), flush=True)


def play(options):
    started = time.monotonic()
    files = county.make(BUILD / f"county-{options.seed}", options.seed)
    shutil.rmtree(BUILD / "run", ignore_errors=True)
    truth = json.loads((files / "truth.json").read_text())
    demo = county.County(files, BUILD / "run", pki=BUILD / "pki")
    p = demo.partnership
    try:
        demo.start(pages=True)
        say(f"The broker serves on localhost:{p.port}, TLS 1.3 with certificates on both sides. Running beside it: a police force, "
            "two children's social care departments, three schools, a trust for the other schools, an auditor.")
        demo.load()
        flags = sum(truth["flags"].values())
        say(f"Loaded: {flags} children with a flag, the rolls of {len(demo.schools['own'] + demo.schools['trust'])} schools, terms and bank holidays.")
        markers = demo.markers(len(truth["markers"]))
        at = time.monotonic()
        demo.feed("day")
        say(f"The force has fed its day: {truth['incidents']} incidents, each confirmed on disk, in {time.monotonic() - at:.1f} s.")
        demo.wait_until_stored()
        social, school, reviews = demo.told()
        decided = demo.decide_reviews(truth, reviews)
        demo.wait_until_stored()
        social, school, _ = demo.told()
        closed = decided + demo.close_all(social, school)
        until_closed(demo)
        audit = audit_of(demo)
        summary = check(demo, truth, social, school, reviews, closed, audit)
        missing, wrong = county.markers_that_differ(truth, markers)
        summary.update(markers=len(markers), markers_owed=len(truth["markers"]), markers_missing=len(missing), markers_wrong=len(wrong))
        summary["seconds"] = round(time.monotonic() - started, 1)
        (BUILD / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
        good = tell(summary)
        desk = demo.serve_audit_desk(BUILD / "export", "--vkey", p.pki / "broker" / "log.vkey")
        if options.once:
            good = take_pictures(demo, desk) and good
        else:
            where_to_look(demo, social, school, desk)
            try:
                signal.pause()
            except KeyboardInterrupt:
                say("Stopping.")
        return 0 if good else 1
    finally:
        demo.partnership.close()


def until_closed(demo):
    """Receipts travel too: wait for the last obligation to close, or give up and report those still open."""
    try:
        county.until(lambda: not demo.obligations(), 30, "every obligation is closed")
    except Failed:
        pass


def audit_of(demo):
    """The auditor takes an export and checks it offline, trusting only the log's key handed over out of band."""
    p, export = demo.partnership, BUILD / "export"
    shutil.rmtree(export, ignore_errors=True)
    for beside in BUILD.glob("export.*"):
        beside.unlink()  # what was read and verified of the last run's log
    p.sealed_export(county.AUDITOR, export)
    try:
        answer = json.loads(p.call(BIN / "flagpost-audit", "verify", export, "--vkey", p.pki / "broker" / "log.vkey", "--json"))
        return {"verified": answer["verified"], "size": answer["size"]}
    except Failed as failure:
        say(str(failure))
        return {"verified": False, "size": 0}


def check(demo, truth, social, school, reviews, closed, audit):
    result = county.compare(truth, social, school, reviews)
    status = demo.partnership.json("flagpost-police", county.POLICE, "status")
    return {
        "flags_loaded": sum(truth["flags"].values()), "incidents_published": status["confirmed"], "social_care_notices": len(social),
        "school_notices": len(school), "review_items": len(reviews), "acknowledged": closed, "owed": result["owed"],
        "misses": len(result["misses"]), "wrong_disclosures": len(result["wrong"]), "held_for_review": result["held_for_review"],
        "possible_extra": len(result["possible_extra"]), "open_obligations": len(demo.obligations()), "log_size": audit["size"],
        "audit_verified": audit["verified"],
        "expected": {"incidents": truth["incidents"]}, "within_bounds": county.within_bounds(result),
        "missed": [{k: m[k] for k in ("kind", "incident", "intact", "corruption")} for m in result["misses"]],
    }


def tell(s):
    """What happened, in words; whether all of it was as it should be."""
    say()
    say("What happened")
    say(f"  {s['incidents_published']} incidents were published and confirmed; {s['owed']} notices were owed by the truth file.")
    say(f"  Social workers were sent {s['social_care_notices']} notices and schools {s['school_notices']}; {s['review_items']} matches were held for a person, who decided each.")
    say(f"  {s['acknowledged']} notices and reviews were opened or recorded by a named person; {s['open_obligations']} are still open.")
    say(f"  Missed: {s['misses']}. Told somebody who should not know: {s['wrong_disclosures']}. "
        f"Held for a person although owed: {s['held_for_review']}. Possible matches sent, marked, that were not the child: {s['possible_extra']}.")
    say(f"  The force's gazetteer marks {s['markers']} addresses of flagged children, of {s['markers_owed']} by the truth file: "
        f"{s['markers_missing']} missing, {s['markers_wrong']} that should not be there.")
    say(f"  The log has {s['log_size']} entries; the auditor's own check of the export says: {'verified' if s['audit_verified'] else 'NOT VERIFIED'}.")
    good = (s["within_bounds"] and s["audit_verified"] and s["open_obligations"] == 0 and s["incidents_published"] == s["expected"]["incidents"]
            and s["markers"] > 0 and s["markers_missing"] == 0 and s["markers_wrong"] == 0
            and s["acknowledged"] == s["social_care_notices"] + s["school_notices"] + s["review_items"] and s["social_care_notices"] > 0 and s["school_notices"] > 0)
    say(f"  {'Every expectation held' if good else 'SOMETHING WAS NOT AS EXPECTED'}, in {s['seconds']} s. Figures: build/demo/summary.json")
    return good


def take_pictures(demo, audit_desk):
    """One of each page that people sign in to; false if a page could not be shown."""
    if not shutil.which("chromium") or not shutil.which("node") or not (SOURCE / "build/web/node_modules/playwright-core").exists():
        say("No pictures of the pages: that needs chromium, node and the packages that npm installs for the pages.")
        return True
    folder = BUILD / "pictures"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    desks = [(url, person, "/inbox", {f"{agency.replace('/', '-')}-{page}": f"/{page}" for page in ("inbox", "done")}) for agency, (url, person) in demo.pages.items()]
    desks.append((*audit_desk, "/audit", {f"audit-{page or 'overview'}": f"/audit/{page}".rstrip("/") for page in ("", "timeline", "explain", "open", "entries/9", "export")}))
    named = [{"url": url, "home": home, "people": {person["name"]: person}, "person": person["name"], "pages": {name.replace("/", "-"): path for name, path in pages.items()}}
             for url, person, home, pages in desks]
    done = subprocess.run(["node", SOURCE / "tools" / "take-pictures.mjs", folder], input=json.dumps(named), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        print(done.stdout[-2000:])
    say(f"Pictures of {sum(1 for _ in folder.iterdir())} pages: {folder.relative_to(SOURCE)}")
    return done.returncode == 0


def where_to_look(demo, social, school, audit_desk):
    """Commands to type, each on a line of its own."""
    say = print
    run = demo.partnership.folder.relative_to(SOURCE)
    say()
    say("Where to look (everything is still running)")
    say(f"  build/bin/flagpost-social-care inbox list --all --config {run}/social-care-E10000024.toml")
    if social:
        say(f"  build/bin/flagpost-social-care inbox show {social[0]['reference']} --config {run}/{social[0]['agency'].replace('/', '-')}.toml")
    if school:
        say(f"  build/bin/flagpost-school inbox show {school[0]['reference']} --config {run}/{school[0]['agency'].replace('/', '-')}.toml")
    say("  build/bin/flagpost-audit replay build/demo/export | less")
    say("  build/bin/flagpost-audit verify build/demo/export --vkey build/demo/pki/broker/log.vkey")
    say("  build/bin/flagpost-audit decisions build/demo/export --key build/demo/run/seal.key")
    told = [agency for agency in demo.pages if any(each["agency"] == agency for each in social + school)]
    for kind, now in (("social-care/", "All of the day is recorded already: look under Done."), (("school/", "trust/"), "All of the day was opened already, and waits to be recorded.")):
        for agency in [each for each in told if each.startswith(kind)][:1]:
            url, person = demo.pages[agency]
            say()
            say(f"The inbox of {agency} in a browser: {url}/")
            say_sign_in(person)
            say(f"  {now}")
    url, person = audit_desk
    say()
    say(f"The audit desk in a browser, over the export of this day: {url}/")
    say_sign_in(person)
    print("Ctrl-C ends it.", flush=True)


def say_sign_in(person):
    print(f"  name {person['name']}, password {person['password']} (serves once: you choose another), code: tools/practice-code {person['code_secret']}")


def main():
    parser = argparse.ArgumentParser(prog="tools/demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end by itself")
    parser.add_argument("--seed", type=int, default=1)
    try:
        sys.exit(play(parser.parse_args()))
    except Failed as failure:
        say(f"The demo stopped: {failure}")
        sys.exit(1)


if __name__ == "__main__":
    main()
