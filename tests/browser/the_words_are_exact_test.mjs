// Each sentence that people must read is there as it was agreed, letter for letter.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newPage, open, seemly, signIn } from "./office.mjs";

const time = String.raw`\d{1,2}(?::\d\d)?(?:am|pm)`, clock = `(?:${time}|midday|midnight)`, near = `(?:[A-Z]?[a-z]+, |[A-Z][a-z]+ \\d+ [A-Z][a-z]+(?: \\d{4})?, )?${clock}`;
const moment = `(?:yesterday |tomorrow |on [A-Z][a-z]+ \\d+ [A-Z][a-z]+(?: \\d{4})? )?at ${clock}`;
/** The words, where {…} stands for what differs from page to page. */
function said(words, ...parts) {
  const escaped = words.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
  return new RegExp(escaped.replace(/\{(\d)\}/g, (_, n) => `(?:${parts[n]})`));
}
const text = async (page) => (await page.locator("body").innerText()).replace(/\s+/g, " ");

async function shows(page, url, ...wanted) {
  await page.goto(url);
  const words = await text(page);
  for (const each of wanted) assert.match(words, each instanceof RegExp ? each : said(each));
  return words;
}

test("social care", async () => {
  const office = await open("desk");
  try {
    const notices = office.url + "/notices/";
    const nobody = await newPage(office);
    await signIn(nobody, office, "new");
    await shows(nobody, office.url + "/inbox",
      "Nothing to act on. This does not mean that nothing has happened: Flagpost knows only what police recorded and what was matched.");
    const manager = await newPage(office);
    await signIn(manager, office, "max");
    await shows(manager, notices + "FP-AAAA-LATE",
      "You are not one of the people this was sent to, so opening it has not stopped the clock. Take it if you will act on it.");
    const page = await newPage(office);
    await signIn(page, office, "kim");
    await shows(page, notices + "FP-AAAA-LATE",
      "This is information, not a referral. It does not replace a police referral. Police referral: not known.",
      "Closes this notice. Police see that it is closed, when, and the choice you picked, not your name (as the agreement sets). Write details in your case system, not here.",
      said("Opening this page recorded that you saw this notice {0}. It does not say that you agree with it or that anything was done. It stays in your inbox until you record what you did.", moment),
      said("Overdue by {0} minutes", "\\d+"));
    const possible = "Possible match: verify before acting. The first name differs in spelling. Check that this is the same child before you contact anyone or write to a child's record.";
    for (const path of ["FP-CCCC-POSS", "FP-CCCC-POSS/print"]) await shows(page, notices + path, possible);
    await shows(page, notices + "FP-DDDD-HIST",
      "Your authority's flag list was 51 hours old when this was matched; it should be no older than 24.",
      "The plan ended on 1 June 2026. You are told because this is within 12 months.");
    await shows(page, notices + "FP-FFFF-NOW2", said("This notice was corrected {0}. Was / is now, below. Tell anyone you told.", moment));
    await shows(page, notices + "FP-KKKK-TAKE",
      said("This notice was recalled {0}. Reason: police corrected the record, and it is not about this child. Do not use it. Remove any copy you made, then record that you have.", moment));
    assert.doesNotMatch(await shows(page, notices + "FP-AAAA-LATE/print"), /Possible match/, "a match never carries the warning");

    await office.ask("kill_broker");
    for (let i = 0; i < 600 && !(await page.locator(".fp-status--cut-off").count()); ++i) {
      await page.waitForTimeout(100);
      await page.goto(office.url + "/inbox");
    }
    await shows(page, office.url + "/inbox", said(
      "No connection to Flagpost since {0}. There may be notices you cannot see. Phone Norham police, 01632 960101, at any hour. What you record here is kept and sent later.", near));
    await page.goto(notices + "FP-AAAA-LATE");
    await page.check("#outcome-2");
    await page.click("text=Record and close");
    await page.waitForURL("**done=recorded");
    assert.match(await text(page), said("Recorded here {0}. Not yet received by Flagpost.", moment));
    await office.ask("start_broker");
    // It is sent and answered. This broker made none of these notices and says so; what it does take, the scenario of the pages shows.
    for (let i = 0; i < 600 && /Not yet received/.test(await text(page)); ++i) {
      await page.waitForTimeout(100);
      await page.reload();
    }
    assert.doesNotMatch(await text(page), /Not yet received/);
    seemly(page);
  } finally {
    await office.close();
  }
});

test("review and sign-in", async () => {
  const office = await open("desk");
  try {
    const page = await newPage(office);
    await page.goto(office.url + "/sign-in");
    await page.fill("#name", "sam");
    await page.fill("#password", "wrong");
    await page.click("main button");
    assert.match(await text(page), said("That name, password or code is not right."));
    await signIn(page, office, "rae", "/review");
    await shows(page, office.url + "/review/RV-AAAA-0NE1",
      said("Oak Primary School (URN 900001) will be told the child's first names, the child's surname, the police reference, when it happened. This cannot be unsent; a recall only asks them to forget."));
    seemly(page);
  } finally {
    await office.close();
  }
});

test("schools", async () => {
  const office = await open("trust");
  try {
    const page = await newPage(office);
    await signIn(page, office, "kit");
    for (const path of ["FP-BBBB-SOON", "FP-BBBB-SOON/print"])
      await shows(page, office.url + "/notices/" + path,
        "Do not approach parents or carers because of this notice. Doing so could put a child or an adult in danger. Support the child as you usually would. If you are worried, follow your safeguarding procedure. In an emergency, phone 999.",
        "Keep this in the child's protection file, not the main pupil file. It contains police information: ask police before you show or give it to anyone, also when somebody asks for their own records.",
        "Other children in this incident who attend other schools are not shown.");
    seemly(page);
  } finally {
    await office.close();
  }
});
