// Double clicks, Back and sending again, keyboards, printing: one notice, one record.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { folderOfPictures, freshCode, newPage, open, picture, seemly, signIn } from "./office.mjs";

let office;
before(async () => { office = await open(); });
after(async () => { await office.close(); });

test("overdue stands before changed before to do, and no row is lost by opening", async () => {
  const page = await newPage(office);
  await signIn(page, office, "kim");
  const captions = await page.locator("caption").allTextContents();
  assert.deepEqual(captions, ["Overdue (1)", "Changed after you were told (1)", "To do (6)"]);
  const rows = await page.locator("tbody th a").count();
  await page.goto(office.url + "/notices/FP-AAAA-LATE");
  await page.goto(office.url + "/notices/FP-AAAA-LATE");
  await page.goto(office.url + "/inbox");
  assert.equal(await page.locator("tbody th a").count(), rows);
  assert.equal(await office.ask("receipts FP-AAAA-LATE"), 1);
  assert.deepEqual(await office.ask("journal FP-AAAA-LATE"), [["consulted", "kim"], ["consulted", "kim"]]);
  seemly(page);
});

test("hostile names stay text", async () => {
  const page = await newPage(office, { scripts: true });
  await signIn(page, office, "max");
  const odd = "/notices/FP-GGGG-ODD1";
  for (const path of ["/inbox", odd, odd + "/print", odd + "/pass", odd + "/ask", odd + "/not-this-child", "/done"]) {
    await page.goto(office.url + path);
    assert.equal(await page.locator("script, main img").count(), 0);
    assert.match(await page.title(), / - Flagpost$/);
  }
  seemly(page);
});

test("a possible match carries the warning, a match never", async () => {
  const page = await newPage(office);
  await signIn(page, office, "kim");
  const tagged = await page.locator("tbody th", { hasText: "Possible match" }).allInnerTexts();
  assert.equal(tagged.length, 1);
  assert.match(tagged[0], /FP-CCCC-POSS/);
  for (const path of ["", "/print"]) {
    await page.goto(office.url + "/notices/FP-CCCC-POSS" + path);
    assert.match(await page.locator(".govuk-warning-text").innerText(), /Possible match: verify before acting\./);
    await page.goto(office.url + "/notices/FP-AAAA-LATE" + path);
    assert.equal(await page.locator(".govuk-warning-text").count(), 0);
    assert.doesNotMatch(await page.content(), /[Pp]ossible match/);
  }
});

test("from sign-in to recorded with the keyboard alone; Back and again records no more", async () => {
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
  await page.keyboard.type("sam");
  await tabTo("#password");
  await page.keyboard.type(office.people.sam.password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/sign-in/code");
  await tabTo("#code");
  await page.keyboard.type(await freshCode("sam", office.people.sam.code_secret));
  await page.keyboard.press("Enter");
  await page.waitForURL("**/new-password");
  const own = office.people.sam.password = "three words of mine";
  for (const field of ["#password", "#again"]) {
    await tabTo(field);
    await page.keyboard.type(own);
  }
  await page.keyboard.press("Enter");
  await page.waitForURL("**/inbox");
  await tabTo('a[href="/notices/FP-BBBB-SOON"]');
  await page.keyboard.press("Enter");
  await page.waitForURL("**/FP-BBBB-SOON");
  await tabTo("#outcome");
  await page.keyboard.press("ArrowDown");
  await tabTo(".fp-next form button");
  const sent = page.waitForRequest((each) => each.method() === "POST");
  await page.keyboard.press("Enter");
  await page.waitForURL("**done=recorded");
  await picture(page, "recorded-by-keyboard");
  assert.match(await page.locator("#next").innerText(), /Recorded by you at .*: Will contact or visit\./);
  await page.goBack();
  await page.goto(office.url + "/notices/FP-BBBB-SOON");
  assert.equal(await page.locator("text=Record and close").count(), 0);
  const again = await page.request.post((await sent).url(), { data: (await sent).postData(), maxRedirects: 0,
    headers: { "content-type": "application/x-www-form-urlencoded", origin: office.url } });
  assert.equal(again.status(), 303, "the same form, sent again, leads where it led");
  assert.equal(await office.ask("receipts FP-BBBB-SOON"), 2, "opened and recorded, each once");
});

test("a double click records once", async () => {
  const page = await newPage(office);
  await signIn(page, office, "max");
  await page.goto(office.url + "/notices/FP-DDDD-HIST");
  await page.click("text=Take this notice");
  await page.waitForURL("**done=taken");
  await page.check("#outcome-4");
  await page.locator("text=Record and close").dblclick();
  await page.waitForURL("**done=recorded");
  assert.equal(await office.ask("receipts FP-DDDD-HIST"), 2);
});

test("the second to record is told who was first", async () => {
  const page = await newPage(office), other = await newPage(office);
  await signIn(page, office, "new");
  await page.context().clearCookies();
  await signIn(page, office, "kim");
  await other.context().addCookies(await page.context().cookies());
  await page.goto(office.url + "/notices/FP-HHHH-BARE");
  await other.goto(office.url + "/notices/FP-HHHH-BARE");
  await page.check("#outcome");
  await page.click("text=Record and close");
  await other.check("#outcome-2");
  const [answer] = await Promise.all([other.waitForResponse("**/record"), other.click("text=Record and close")]);
  assert.equal(answer.status(), 409);
  assert.match(await other.locator("main").innerText(), /You recorded this at .*\. Your choice was not recorded\./);
});

test("the second person to record is told the first one's name", async () => {
  const page = await newPage(office), other = await newPage(office);
  await signIn(page, office, "sam");
  await signIn(other, office, "kim");
  for (const each of [page, other]) await each.goto(office.url + "/notices/FP-FFFF-NOW2");
  await page.check("#outcome");
  await page.click("text=Record and close");
  await page.waitForURL("**done=recorded");
  await other.check("#outcome-2");
  const [answer] = await Promise.all([other.waitForResponse("**/record"), other.click("text=Record and close")]);
  assert.equal(answer.status(), 409);
  assert.match(await other.locator("main").innerText(), /Sam Patel recorded this at .*\. Your choice was not recorded\./);
  assert.equal(await office.ask("receipts FP-FFFF-NOW2"), 2, "opened and recorded, each once");
});

test("after signing out, Back shows sign-in and no notice", async () => {
  const page = await newPage(office);
  await signIn(page, office, "sam");
  await page.goto(office.url + "/notices/FP-AAAA-LATE");
  await page.click("text=Sign out");
  await page.waitForURL("**/sign-in");
  await page.goBack();
  assert.match(page.url(), /sign-in$/);
  assert.doesNotMatch(await page.content(), /Ava/);
});

test("a printed notice is one page and says how to handle it", async () => {
  const page = await newPage(office, { scripts: true });
  await signIn(page, office, "kim");
  await page.goto(office.url + "/notices/FP-AAAA-LATE/print");
  const file = join(folderOfPictures, "notice.pdf");
  await page.pdf({ path: file, format: "A4" });
  assert.match(execFileSync("pdfinfo", [file]).toString(), /Pages:\s+1\n/);
  const words = execFileSync("pdftotext", [file, "-"]).toString().replace(/\s+/g, " ");
  assert.match(words, /Printed from Flagpost by Kim Osei on .*FP-AAAA-LATE\. Official, sensitive\./);
  assert.doesNotMatch(words, /Record and close|Sign out|\/notices\//);
});

test("cut off from the broker, the page says so and keeps what is recorded", async () => {
  const page = await newPage(office);
  await signIn(page, office, "max");
  await office.ask("kill_broker");
  for (let i = 0; i < 600 && !(await page.locator(".fp-status--cut-off").count()); ++i) {
    await page.waitForTimeout(100);
    await page.goto(office.url + "/inbox");
  }
  assert.match(await page.locator(".fp-status").innerText(), /No connection to Flagpost since .*Phone Norham police, 01632 960101, at any hour\. What you record here is kept and sent later\./);
  await picture(page, "inbox-cut-off");
  await office.ask("start_broker");
});
