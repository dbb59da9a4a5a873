// The review queue as two reviewers see it, and what was taken back: nobody reads it again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newPage, open, seemly, signIn, sound } from "./office.mjs";

const one = "RV-AAAA-0NE1", two = "RV-BBBB-TW02", late = "RV-CCCC-LATE", nothing = "RV-DDDD-N0NE";
let office, rae, tom;
before(async () => {
  office = await open("desk");
  rae = await newPage(office, { scripts: true });
  await signIn(rae, office, "rae", "/review");
  tom = await newPage(office, { scripts: true });
  await signIn(tom, office, "tom", "/review");
});
after(async () => { await office.close(); });

const go = (page, reference) => page.goto(`${office.url}/review/${reference}`);
const words = (page) => page.locator("main").innerText();
async function decide(page, verdict, reason) {
  await page.check(`input[name=choice][value=${verdict}]`);
  await page.selectOption("#reason", reason);
  const [answer] = await Promise.all([page.waitForResponse((each) => each.request().method() === "POST"), page.click("text=Record decision")]);
  return answer.status();
}

test("the list says why a person must look and names no child; the most urgent stands first", async () => {
  await rae.goto(office.url + "/review");
  await sound(rae, "review-list");
  const list = await words(rae);
  assert.match(list, /To decide \(5\)/);
  assert.match(list, /3 records to choose from/);
  assert.match(await rae.locator("nav").first().innerText(), /Review \(5\)/);
  assert.match(list, /another first name\. A twin\?(?!\.)/);
  assert.doesNotMatch(await rae.content(), /Eve|Ava|Example|2019-03-04/);
  const references = await rae.locator("tbody th").allInnerTexts();
  assert.match(references[0], new RegExp(late));
  seemly(rae);
});

test("a match has the differing details first, no choice made, and a reason is asked for", async () => {
  await go(rae, one);
  await sound(rae, "review");
  assert.match((await words(rae)).replace(/\s+/g, " "), /Sends to Oak Primary School \(URN 900001\) Incident Norham Police, NP-2026-071, version 1/);
  assert.doesNotMatch(await words(rae), /\d{4}-\d{2}-\d{2}|school\//);
  assert.match((await rae.locator("tbody tr").first().innerText()).replace(/\s+/g, " "), /First names.*Eve.*Ava.*Differ/);
  assert.equal(await rae.locator("input:checked").count(), 0);
  assert.equal(await rae.locator("#reason").inputValue(), "");
  await rae.click("text=Record decision");
  assert.match(await rae.locator(".govuk-error-summary").innerText(), /Choose what you decide/);
  await sound(rae, "review-error");
  await rae.check("input[name=choice][value=permit]");
  await rae.click("text=Record decision");
  assert.match(await rae.locator(".govuk-error-summary").innerText(), /Choose a reason/);
  assert.equal(await rae.locator("input[name=choice][value=permit]").isChecked(), true, "what was chosen is not asked again");
  await go(rae, nothing);
  assert.equal(await rae.locator("input[name=choice][value=permit]").count(), 0, "where there is nothing to send");
  await sound(rae, "review-nothing-to-send");
});

test("what each comparison counted for stands in numbers beside the words, and adds up", async () => {
  await go(rae, one);
  assert.equal(await rae.locator("details[open]").count(), 0, "words come first");
  await rae.click("text=How the system weighed this");
  await sound(rae, "review-weighed");
  const points = await rae.locator("details tbody tr").evaluateAll((rows) =>
    rows.map((row) => [row.cells[0].innerText, Number(row.cells[2].lastChild.textContent.replace("\u2212", "-"))]));
  assert.equal(points.length, 8);
  assert.deepEqual(points[3], ["Date of birth", 12.2]);
  const sum = points.slice(0, -1).reduce((all, [, each]) => all + each, 0);
  assert(Math.abs(sum - points.at(-1)[1]) < 0.11, `${sum} is not ${points.at(-1)[1]}`);
  assert.match(await rae.locator("details").innerText(), /The system went by \u22123\.3: another record.*Held under SCH-1, agreement 3f2a90c41b7d\./s);
});

test("several records of one person stand on one page, and the decision names one of them or none", async () => {
  const many = "RV-FFFF-M4NY";
  await go(rae, many);
  assert.match(await words(rae), /Which of these is the same child\?/);
  assert.equal(await rae.locator("main table caption", { hasText: "Details side by side" }).count(), 3);
  assert.equal(await rae.locator("input:checked").count(), 0);
  await sound(rae, "review-several");
  assert.match((await rae.locator("section").first().innerText()).replace(/\s+/g, " "), /^A RV-FFFF-M4NY .*Evie.*Elm Academy/);
  await rae.click("text=Record decision");
  await sound(rae, "review-several-error");
  await go(tom, "RV-GGGG-M4NY");
  assert.match(await words(tom), /Which of these .*Rae Quinn has it until /s);
  await rae.check("text=B is the same child: send it");
  await rae.selectOption("#reason", "known_to_us");
  const [answer] = await Promise.all([rae.waitForResponse((each) => each.request().method() === "POST"), rae.click("text=Record decision")]);
  assert.equal(answer.status(), 303);
  assert.match(await words(rae), /To decide \(4\)/);
  for (const each of ["RV-EEEE-M4NY", "RV-FFFF-M4NY", "RV-GGGG-M4NY"]) assert.equal(await office.ask("receipts " + each), 1, each);
  await go(rae, "RV-GGGG-M4NY");
  assert.match(await words(rae), /Is this the same child\?[^]*Decided by Rae Quinn, today, /);
});

test("a note is left for the next reviewer, with or without a decision, and whoever has no match sees none", async () => {
  await go(rae, nothing);
  await rae.click("text=Leave only the note");
  assert.match(await rae.locator(".govuk-error-summary").innerText(), /Write the note/);
  await rae.fill("#note", "x".repeat(201));
  await rae.click("text=Leave only the note");
  assert.match(await rae.locator(".govuk-error-summary").innerText(), /at most 200 characters/);
  assert.equal((await rae.locator("#note").inputValue()).length, 201);
  await sound(rae, "review-note-error");
  await rae.fill("#note", "Norham school may know: <b>ask</b> the attendance officer.");
  await rae.locator("text=Leave only the note").dblclick();
  await rae.waitForURL("**done=noted");
  await go(tom, nothing);
  const seen = (await words(tom)).replace(/\s+/g, " ");
  assert.match(seen, /Notes from reviewers Norham school may know: <b>ask<\/b> the attendance officer\. Rae Quinn, today, .*Rae Quinn has it until/);
  assert.equal(await tom.locator("ol.fp-timeline li").count(), 1, "a double click leaves one");
  await sound(tom, "review-note");
  await tom.fill("#note", "They are on it.");
  await tom.click("text=Leave the note");
  await tom.waitForURL("**done=noted");
  assert.equal(await tom.locator("ol.fp-timeline li").count(), 2);
  await tom.goto(office.url + "/review");
  assert.doesNotMatch(await words(tom), /attendance/);
  assert.deepEqual((await office.ask("journal " + nothing)).filter(([what]) => what === "noted"), [["noted", "rae"], ["noted", "tom"]]);
});

test("who has opened a match has it; another reads it and cannot decide, until little time is left", async () => {
  await go(rae, one);
  await go(tom, one);
  assert.match(await words(tom), /Rae Quinn has it until /);
  assert.equal(await tom.locator("form[action$=decide]").count(), 0);
  await sound(tom, "review-held-by-another");
  await tom.goto(office.url + "/review");
  assert.match((await tom.locator("tbody tr", { hasText: one }).innerText()).replace(/\s+/g, " "), /Rae Quinn until /);
  await go(rae, late);
  await go(tom, late);
  assert.equal(await tom.locator("form[action$=decide]").count(), 1);
  assert.equal(await decide(tom, "deny", "other_child"), 303);
  assert.equal(await decide(rae, "deny", "other_child"), 409, "it was decided meanwhile");
  assert.match(await words(rae), /Tom Bell decided this at .*Your choice was not recorded\./);
});

test("one person settles a match, once", async () => {
  await go(rae, one);
  assert.equal(await decide(rae, "permit", "known_to_us"), 303);
  await sound(rae, "review-decided");
  assert.doesNotMatch(await words(rae), new RegExp(one));
  assert.equal(await office.ask("receipts " + one), 1);
  await go(rae, one);
  assert.match(await words(rae), /Decided by Rae Quinn, today, /);
  assert.equal(await rae.locator("form[action$=decide]").count(), 0);
});

test("a shielded child needs two people, and the second does not see what the first chose", async () => {
  await go(rae, two);
  assert.match(await words(rae), /Two people must decide alike/);
  assert.equal(await decide(rae, "permit", "known_to_us"), 303);
  await rae.goto(office.url + "/review");
  assert.match(await words(rae), /Waiting for a second person \(1\)/);
  await sound(rae, "review-list-second");
  await go(rae, two);
  assert.match(await words(rae), /You have decided\. A second person must decide alike\./);
  assert.equal(await rae.locator("form[action$=decide]").count(), 0, "the first is not the second");
  await go(tom, two);
  assert.doesNotMatch(await tom.content(), /Rae Quinn|selected|checked/);
  await sound(tom, "review-second");
  assert.equal(await decide(tom, "permit", "details_agree"), 303);
  assert.doesNotMatch(await words(tom), new RegExp(two));
  assert.equal(await office.ask("receipts " + two), 2);
});

test("who cannot tell asks police, and the match stays open", async () => {
  await go(rae, nothing);
  assert.equal(await decide(rae, "unsure", "cannot_tell"), 303);
  await rae.goto(office.url + "/review");
  assert.match(await words(rae), /Waiting for police \(1\)/);
  await sound(rae, "review-list-asked");
});

test("a reviewer sees no notice, and whoever reads notices no match", async () => {
  for (const path of ["/inbox", "/done", "/notices/FP-AAAA-LATE", "/notices/FP-KKKK-TAKE"])
    assert.equal((await rae.goto(office.url + path)).status(), 404, path);
  const kim = await newPage(office);
  await signIn(kim, office, "kim");
  for (const path of ["/review", "/review/" + nothing, "/review/" + one])
    assert.equal((await kim.goto(office.url + path)).status(), 404, path);
});

test("a recalled notice shows no old fact, in the list, on its page, in print or by going back", async () => {
  const page = await newPage(office, { scripts: true });
  await signIn(page, office, "kim");
  const row = page.locator("tbody tr", { hasText: "FP-KKKK-TAKE" });
  assert.match((await row.innerText()).replace(/\s+/g, " "), /Notice recalled.*FP-KKKK-TAKE.*about this child.*Recalled/);
  assert.doesNotMatch(await page.content(), /Greta|Gone/);
  for (const path of ["FP-KKKK-TAKE", "FP-JJJJ-G0NE", "FP-JJJJ-G0NE/print"]) {
    await page.goto(`${office.url}/notices/${path}`);
    assert.match(page.url(), /FP-KKKK-TAKE$/);
    assert.match(await words(page), /This notice was recalled at .*Do not use it\. Remove any copy you made/);
    assert.doesNotMatch(await page.content(), /Greta|Gone|neighbour|Example Street/);
  }
  await sound(page, "recall");
  await page.click("text=Record and close");
  assert.match(await page.locator(".govuk-error-summary").innerText(), /Choose what you did/);
  await sound(page, "recall-error");
  await page.check("#outcome");
  await page.locator("text=Record and close").dblclick();
  await page.waitForURL("**done=recorded");
  await sound(page, "recall-recorded");
  assert.match(await page.locator("#next").innerText(), /Recorded by you at .*: I have removed my copies\./);
  assert.equal(await office.ask("receipts FP-KKKK-TAKE"), 2, "opened and recorded, each once");
  await page.goto(office.url + "/inbox");
  assert.equal(await page.locator("tbody tr", { hasText: "FP-KKKK-TAKE" }).count(), 0);
  await page.goBack();
  assert.doesNotMatch(await page.content(), /Greta|Gone|neighbour/);
});

test("police are asked on the notice's page, and what they answered stands under it", async () => {
  const page = await newPage(office, { scripts: true });
  await signIn(page, office, "sam");
  assert.match((await page.locator("tbody tr", { hasText: "Police answered" }).innerText()).replace(/\s+/g, " "), /FP-LLLL-ASKD.*Not opened/);
  await sound(page, "inbox-answered");
  await page.goto(office.url + "/notices/FP-LLLL-ASKD");
  assert.match(await words(page), /Was anybody else in the house that night\?[^]*Answered by PC Lowe/);
  await sound(page, "notice-answered");
  await page.goto(office.url + "/inbox");
  assert.equal(await page.locator("tbody tr", { hasText: "Police answered" }).count(), 0, "it was read");
  await page.goto(office.url + "/notices/FP-BBBB-SOON");
  await page.click("text=Ask police a question");
  await sound(page, "ask");
  await page.click("main button");
  assert.match(await page.locator(".govuk-error-summary").innerText(), /Choose what your question is about/);
  await page.check("#choice-4");
  await page.click("main button");
  assert.match(await page.locator(".govuk-error-summary").innerText(), /Write what you want to say/);
  assert.equal(await page.locator("#choice-4").isChecked(), true);
  await sound(page, "ask-error");
  await page.fill("#text", "Who is the man? <b>He</b> is not on our file.");
  await page.locator("main button").dblclick();
  await page.waitForURL("**done=asked");
  await sound(page, "notice-asked");
  assert.equal(await page.locator("#questions + ol li").count(), 1, "a double click asks once");
  assert.match(await words(page), /Who is the man\? <b>He<\/b> is not on our file\./);
});

test("a question may be in any script, a new line counts as one, and what is too long comes back as it was typed", async () => {
  const page = await newPage(office);
  await signIn(page, office, "sam");
  const asking = async (text) => {
    await page.goto(office.url + "/notices/FP-BBBB-SOON/ask");
    await page.check("#choice-4");
    await page.fill("#text", text);
    await page.click("main button");
  };
  for (const text of ["\u0645".repeat(1000), "\u{1F600}".repeat(500), "a\n".repeat(999) + "ab"]) {
    await asking(text);
    await page.waitForURL("**done=asked");
  }
  await asking("\u0645".repeat(2001));
  assert.match(await page.locator(".govuk-error-summary").innerText(), /Use 2000 characters or fewer/);
  assert.equal((await page.locator("#text").inputValue()).length, 2001, "what was typed is not lost");
  await asking("a".repeat(70_000));
  assert.equal(await page.locator("h1").innerText(), "This is too large");
  await page.goBack();
  assert.equal((await page.locator("#text").inputValue()).length, 70_000);
  seemly(page);
});

test("a wall screen's list loads itself anew until it is stopped", async () => {
  const page = await newPage(office);
  await signIn(page, office, "kim");
  const [answer] = await Promise.all([page.waitForResponse("**watch=60"), page.click("text=Update every minute")]);
  assert.equal(answer.headers().refresh, "60");
  const stopped = page.waitForResponse((each) => each.url().endsWith("/inbox?show=all"));
  await page.click("text=Stop updating");
  assert.equal((await stopped).headers().refresh, undefined);
  seemly(page);
});
