// Every page in every state: axe at 1280 and 320 pixels, nothing scrolls sideways, nothing is loaded from elsewhere.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { freshCode, newPage, open, picture, signIn, sound } from "./office.mjs";

const notices = { late: "FP-AAAA-LATE", soon: "FP-BBBB-SOON", possible: "FP-CCCC-POSS", historic: "FP-DDDD-HIST", corrected: "FP-FFFF-NOW2",
  odd: "FP-GGGG-ODD1", bare: "FP-HHHH-BARE" };
let office;
before(async () => { office = await open(); });
after(async () => { await office.close(); });

test("pages before signing in", async () => {
  const page = await newPage(office, { scripts: true });
  for (const path of ["/sign-in", "/accessibility", "/privacy", "/cookies", "/hide"]) {
    await page.goto(office.url + path);
    await sound(page, path.slice(1));
  }
  await page.goto(office.url + "/sign-in");
  await page.fill("#name", "nobody");
  await page.click("main button");
  await sound(page, "sign-in-wrong");
});

test("the page on which a first password is changed", async () => {
  const page = await newPage(office, { scripts: true });
  const { password, code_secret } = office.people.fay;
  await page.goto(office.url + "/sign-in");
  await page.fill("#name", "fay");
  await page.fill("#password", password);
  await page.click("main button");
  await sound(page, "sign-in-code");
  await page.fill("#code", await freshCode("fay", code_secret));
  await page.click("main button");
  await page.waitForURL("**/new-password");
  await sound(page, "new-password");
  await page.goto(office.url + "/flags");
  assert.match(page.url(), /new-password$/, "nothing else is shown before");
  await page.fill("#password", "short");
  await page.click("main button");
  assert.match(await page.title(), /^Error: /);
  await sound(page, "new-password-error");
});

test("the inbox, empty and full, and each kind of notice", async () => {
  const page = await newPage(office, { scripts: true });
  await signIn(page, office, "new");
  await sound(page, "inbox-empty");
  await page.context().clearCookies();
  await signIn(page, office, "max");
  await page.goto(office.url + "/notices/" + notices.late);
  await sound(page, "notice-manager");
  await page.context().clearCookies();
  await signIn(page, office, "kim");
  await sound(page, "inbox");
  for (const [state, reference] of Object.entries(notices)) {
    await page.goto(office.url + "/notices/" + reference);
    await sound(page, "notice-" + state);
  }
  await page.goto(office.url + "/notices/FP-AAAA-LATE/print");
  await sound(page, "notice-print");
  await page.goto(office.url + "/notices/FP-AAAA-LATE");
  await page.click("text=Record and close");
  await sound(page, "notice-error");
  for (const path of ["pass", "not-this-child"]) {
    await page.goto(`${office.url}/notices/FP-BBBB-SOON/${path}`);
    await sound(page, "notice-" + path);
  }
  await page.goto(office.url + "/nothing");
  await sound(page, "not-found");
  await page.goto(office.url + "/notices/FP-BBBB-SOON");
  await page.check("#outcome");
  await page.click("text=Record and close");
  await page.waitForSelector("text=This notice is closed");
  await sound(page, "notice-recorded");
  await page.goto(office.url + "/done");
  await sound(page, "done");
});

test("the form that says what was done ends above the fold, and the whole notice is soon read", async () => {
  const page = await newPage(office);
  await signIn(page, office, "sam");
  await page.goto(office.url + "/notices/FP-AAAA-LATE");
  const button = await page.locator("text=Record and close").boundingBox();
  assert(button.y + button.height <= 800, `the form ends at y = ${button.y + button.height}`);
});

test("with forced colours, on a narrow screen and in print, the state is still told", async () => {
  const page = await newPage(office, { forcedColors: "active" });
  await signIn(page, office, "max");
  await picture(page, "inbox-forced-colours");
  await page.goto(office.url + "/notices/FP-CCCC-POSS");
  await picture(page, "notice-possible-forced-colours");
});
