// A trust's school: every page accessible, the warning first, one page in print, no field that is not the school's, no other school.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { folderOfPictures, freshCode, newPage, open, picture, seemly, signIn, sound } from "./office.mjs";

const oak = { late: "FP-AAAA-LATE", soon: "FP-BBBB-SOON", corrected: "FP-DDDD-NOW2", odd: "FP-EEEE-ODD1", bare: "FP-FFFF-BARE" };
const elm = "FP-GGGG-ELM1";
let office;
before(async () => { office = await open("trust"); });
after(async () => { await office.close(); });

async function as(name, options) {
  const page = await newPage(office, options);
  await signIn(page, office, name);
  return page;
}

test("a lead's look is no opening, and each school's people see their own school only", async () => {
  const lead = await as("lea");
  assert.deepEqual(await lead.locator("caption").allTextContents(), ["Overdue (1)", "Changed after you were told (1)", "To do (5)"]);
  await lead.goto(`${office.url}/notices/${oak.late}`);
  assert.match(await lead.locator("#next").innerText(), /You are not one of this school's contacts, so opening it has not stopped the clock\./);
  assert.equal(await lead.locator("text=Record and close").count(), 0);
  assert.equal(await office.ask("receipts " + oak.late), 0);
  await lead.goto(office.url + "/inbox");
  await lead.check("text=Elm Academy");
  await lead.click("text=Apply");
  assert.match(await lead.locator("main").innerText(), new RegExp(elm));
  assert.equal(await lead.locator("tbody tr").count(), 1);
  const other = await as("eli");
  assert.doesNotMatch(await other.content(), /Oak Primary|900001|FP-AAAA/);
  for (const path of ["", "/print", "/pass", "/not-on-roll"]) {
    const answer = await other.goto(`${office.url}/notices/${oak.late}${path}`);
    assert.equal(answer.status(), 404);
  }
  assert.deepEqual(await office.ask("journal " + oak.late), [["consulted", "lea"]]);
});

test("each page of a school, empty, full and in error, at two widths", async () => {
  const empty = await as("new", { scripts: true });
  await sound(empty, "school-inbox-empty");
  const lead = await as("lea", { scripts: true });
  await sound(lead, "trust-inbox");
  await lead.goto(`${office.url}/notices/${oak.soon}`);
  await sound(lead, "trust-notice-lead");
  const page = await as("kit", { scripts: true });
  await sound(page, "school-inbox");
  for (const [state, reference] of Object.entries(oak)) {
    await page.goto(`${office.url}/notices/${reference}`);
    await sound(page, "school-notice-" + state);
  }
  await page.goto(`${office.url}/notices/${oak.late}`);
  await page.click("text=Record and close");
  assert.match(await page.locator(".govuk-error-summary").innerText(), /Choose what the school will do/);
  await sound(page, "school-notice-error");
  for (const path of ["pass", "not-on-roll"]) {
    await page.goto(`${office.url}/notices/${oak.late}/${path}`);
    await sound(page, "school-" + path);
  }
});

test("contacts: who is named, what is to be checked, and a button that says so with its name", async () => {
  const page = await as("kit", { scripts: true });
  assert.match(await page.locator("main").innerText(), /Your contacts were last checked more than 60 days ago\./);
  await page.goto(office.url + "/contacts");
  await sound(page, "school-contacts");
  await page.getByRole("button", { name: /These are still right.*Jo Wren/ }).click();
  await page.waitForURL("**done=checked");
  await sound(page, "school-contacts-checked");
  await page.goto(office.url + "/inbox");
  assert.doesNotMatch(await page.locator("main").innerText(), /last checked/);
  const other = await as("eli");
  await other.goto(office.url + "/contacts");
  assert.doesNotMatch(await other.content(), /Kit Bell|01632 960301/);
});

test("the warning stands first, the form ends above the fold, and no field but the school's is there", async () => {
  const page = await as("kit");
  for (const reference of Object.values(oak)) {
    await page.goto(`${office.url}/notices/${reference}`);
    const first = await page.locator("main .govuk-grid-column-two-thirds > *").first().innerText();
    assert.match(first, /Do not approach parents or carers because of this notice\./);
  }
  await page.goto(`${office.url}/notices/${oak.late}`);
  const keys = await page.locator("dt").allInnerTexts();
  assert.deepEqual(keys, ["Child", "Born", "Pupil number", "School", "Police reference", "When", "Was the child there", "What the child said",
    "What happened", "Handling", "Ask police"]);
  await page.goto(`${office.url}/notices/${oak.bare}`);
  assert.deepEqual(await page.locator("dt").allInnerTexts(), ["Child", "School", "Police reference", "When", "Ask police"]);
  await page.goto(`${office.url}/notices/${oak.late}`);
  const button = await page.locator("text=Record and close").boundingBox();
  assert(button.y + button.height <= 800, `the form ends at y = ${button.y + button.height}`);
});

test("hostile names stay text on every page of a school", async () => {
  const page = await as("jo", { scripts: true });
  for (const path of ["/inbox", ...["", "/print", "/pass", "/not-on-roll"].map((each) => `/notices/${oak.odd}${each}`)]) {
    await page.goto(office.url + path);
    assert.equal(await page.locator("script, main img").count(), 0);
    assert.match(await page.title(), / - Flagpost$/);
    assert.doesNotMatch(await page.title(), /Arcy/);
  }
  seemly(page);
});

test("for the child protection file: one page, with the handling line, by whom and when", async () => {
  const page = await as("jo", { scripts: true });
  await page.goto(`${office.url}/notices/${oak.late}/print`);
  const file = join(folderOfPictures, "school-notice.pdf");
  await page.pdf({ path: file, format: "A4" });
  assert.match(execFileSync("pdfinfo", [file]).toString(), /Pages:\s+1\n/);
  const words = execFileSync("pdftotext", [file, "-"]).toString().replace(/\s+/g, " ");
  assert.match(words, /Do not approach parents or carers/);
  assert.match(words, /Keep this in the child's protection file, not the main pupil file\./);
  assert.match(words, /Printed from Flagpost by Jo Wren on .*FP-AAAA-LATE\. Official, sensitive\. Keep in the child's protection file\./);
  assert.doesNotMatch(words, /Record and close|Sign out|Pass to a colleague|\/notices\//);
});

test("from sign-in to recorded with the keyboard alone, a pupil of nobody here closes nothing at first, and a double click records once", async () => {
  const page = await newPage(office);
  await page.goto(office.url + "/sign-in");
  const tabTo = async (selector) => {
    for (let i = 0; i < 80; ++i) {
      await page.keyboard.press("Tab");
      if (await page.locator(`${selector}:focus`).count()) return;
    }
    assert.fail("the keyboard does not reach " + selector);
  };
  await tabTo("#name");
  await page.keyboard.type("eli");
  await tabTo("#password");
  await page.keyboard.type(office.people.eli.password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/sign-in/code");
  await tabTo("#code");
  await page.keyboard.type(await freshCode("eli", office.people.eli.code_secret));
  await page.keyboard.press("Enter");
  await page.waitForURL("**/inbox");
  await tabTo(`a[href="/notices/${elm}"]`);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/" + elm);
  await tabTo("#outcome");
  await page.keyboard.press("ArrowUp");  // from the first to the last: not on our roll
  await tabTo(".fp-next form button");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/not-on-roll");
  await tabTo("#choice");
  await page.keyboard.press("Space");
  await tabTo("main button");
  await page.keyboard.press("Enter");
  await page.waitForURL("**done=given_back");
  assert.match(await page.locator(".govuk-notification-banner").innerText(), /tells the school that has the child/);
  await picture(page, "school-notice-recorded");
  assert.match(await page.locator("#next").innerText(), /Recorded by you at .*: Not on our roll/);
  assert.equal(await office.ask("receipts " + elm), 2, "opened and recorded, each once");
});

test("an admin of a trust says who may sign in and sees no notice; what is changed in the file by hand is told the log too", async () => {
  const told = async () => {  // in the log, or on the way there
    const { refused, others } = await office.ask("staff");
    assert.equal(refused, 0);
    return others;
  };
  const page = await newPage(office, { scripts: true }), signed_out = await told();
  await signIn(page, office, "ada", "/users");
  const before = await told();
  assert.equal(before, signed_out + 1, "she has chosen her own password");
  await sound(page, "school-users");
  assert.deepEqual(await page.locator("thead th").allInnerTexts(), ["Name", "Role", "Schools", "Last signed in"]);
  assert.match((await page.locator("tr", { hasText: "Jo Wren" }).innerText()).replace(/\s+/g, " "), /DSL.*900001/);
  await page.click("text=Add somebody");
  await page.fill("#name", "mia");
  await page.fill("#called", "Mia Finch");
  await page.click("text=Deputy: the same as the DSL");
  await page.click("main button");
  await page.waitForSelector("text=Say whose notices they see");
  await sound(page, "school-user-add-error");
  await page.fill("#teams", "900001, 900002");
  await page.click("main button");
  await page.waitForSelector("text=Hand these over to Mia Finch");
  await page.goto(office.url + "/users/mia");
  await sound(page, "school-user");
  for (const path of ["/inbox", "/contacts", `/notices/${oak.late}`, "/cover"]) {
    await page.goto(office.url + path);
    assert.equal(await page.locator("h1").innerText(), "Page not found", path);
  }
  assert.equal(await told(), before + 1, "one leaf for Mia");
  await office.ask("by_hand mia deputy dsl");
  for (let i = 0; i < 100 && await told() === before + 1; ++i) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(await told(), before + 2, "one leaf for the change by hand");
  await page.goto(office.url + "/users");
  assert.match((await page.locator("tr", { hasText: "Mia Finch" }).innerText()).replace(/\s+/g, " "), /DSL/);
  seemly(page);
});
