// What happens while a page is open: its deadline passes, its session ends.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { freshCode, newPage, open, seemly, signIn } from "./office.mjs";

let office;
before(async () => { office = await open("desk clock"); });
after(async () => { await office.close(); });

test("a deadline that passes while the page is open counts by the server's time, and the page says late", async () => {
  const page = await newPage(office);
  await signIn(page, office, "sam");
  await page.goto(office.url + "/notices/FP-BBBB-SOON");
  assert.match(await page.locator(".fp-due").first().innerText(), /Due in \d+ minutes/);
  const other = await page.context().newPage();
  for (let i = 0; i < 4; ++i) {  // in use all the while
    await office.advance(25 * 60);
    await other.goto(office.url + "/inbox");
  }
  assert.match(await other.locator("caption").first().innerText(), /Overdue \(2\)/);
  await page.click("text=Record and close");
  assert.match(await page.locator(".fp-due").first().innerText(), /Overdue by \d+ minutes/);
  assert.equal(await page.locator(".fp-next--late").count(), 1);
  await page.check("#outcome");
  await page.click("text=Record and close");
  await page.waitForURL("**done=recorded");
  seemly(page);
});

test("a choice made as the session ended waits for the same person and for nobody else", async () => {
  const page = await newPage(office), path = "/notices/FP-AAAA-LATE";
  await signIn(page, office, "sam");
  await page.goto(office.url + path);
  await page.check("#outcome-3");
  await office.advance(31 * 60);
  await page.click("text=Record and close");
  await page.waitForURL("**/sign-in");
  assert.match(await page.locator("main").innerText(), /You were signed out.*What you filled in was not sent\. It is kept/);
  assert.equal(await office.ask("receipts FP-AAAA-LATE"), 1, "opened, and no more");

  const kim = await newPage(office);
  await signIn(kim, office, "kim");
  await kim.goto(office.url + path + "?kept=1");
  assert.equal(await kim.locator("input:checked").count(), 0);

  const { password, code_secret } = office.people.sam;
  await page.fill("#name", "sam");
  await page.fill("#password", password);
  await page.click("main button");
  await page.fill("#code", await freshCode("sam", code_secret, office.ahead_s));
  await page.click("main button");
  await page.waitForURL("**" + path + "?kept=1");
  assert.equal(await page.locator("#outcome-3").isChecked(), true);
  assert.match(await page.locator("main").innerText(), /nothing of it was recorded\. What you filled in is on this page again/);
  await page.goto(office.url + path);
  assert.equal(await page.locator("input:checked").count(), 0, "it is given once");
  seemly(page);
  seemly(kim);
});

async function signInAgain(page, name) {
  const { password, code_secret } = office.people[name];
  await page.fill("#name", name);
  await page.fill("#password", password);
  await page.click("main button");
  await page.fill("#code", await freshCode(name, code_secret, office.ahead_s));
  await page.click("main button");
}

test("whatever form was being filled in as the session ended is filled in again, on its own page", async () => {
  const page = await newPage(office);
  await signIn(page, office, "rae", "/review");
  await page.goto(office.url + "/review/RV-CCCC-LATE");
  await page.check("input[name=choice][value=deny]");
  await page.selectOption("#reason", { index: 1 });
  const reason = await page.locator("#reason").inputValue();
  await page.fill("#note", "The attendance officer knows them.");
  await office.advance(31 * 60);
  await page.click("text=Record decision");
  await page.waitForURL("**/sign-in");
  await signInAgain(page, "rae");
  await page.waitForURL("**/review/RV-CCCC-LATE?kept=1");
  assert.equal(await page.locator("input[name=choice][value=deny]").isChecked(), true);
  assert.equal(await page.locator("#reason").inputValue(), reason);
  assert.equal(await page.locator("#note").inputValue(), "The attendance officer knows them.");
  await page.click("text=Record decision");
  await page.waitForURL("**/review?done=deny");

  await page.context().clearCookies();
  await signIn(page, office, "ada", "/users");
  await page.goto(office.url + "/users/add");
  await page.fill("#called", "Lee Jones");
  await office.advance(31 * 60);
  await page.click("main button");
  await page.waitForURL("**/sign-in");
  await signInAgain(page, "ada");
  await page.waitForURL("**/users/add?kept=1");
  assert.equal(await page.locator("#called").inputValue(), "Lee Jones");
  seemly(page);
});

test("signing out where the session has ended is nothing to come back to", async () => {
  const page = await newPage(office);
  await signIn(page, office, "kim");
  await office.advance(31 * 60);
  await page.click("text=Sign out");
  await page.waitForURL("**/sign-in");
  await signInAgain(page, "kim");
  await page.waitForURL("**/inbox");
  seemly(page);
});
