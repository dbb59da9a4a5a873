// A hundred notices: nothing that is late is ever on a later page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newPage, open, seemly, signIn, sound } from "./office.mjs";

let office;
before(async () => { office = await open("crowd"); });
after(async () => { await office.close(); });

const references = async (page, heading) => (await page.locator("table", { hasText: heading }).locator("tbody .fp-reference").allInnerTexts());

test("page 1 holds all that is overdue, the soonest deadline first, and every notice is on one page", async () => {
  const page = await newPage(office, { scripts: true });
  await signIn(page, office, "kim");
  assert.deepEqual(await page.locator("caption").allTextContents(), ["Overdue (40)", "To do (60)"]);
  const late = await references(page, "Overdue (40)");
  assert.equal(late.length, 40);
  assert.match(await page.locator("nav[aria-label=Pages]").innerText(), /Showing 1 to 25 of 60/);
  await sound(page, "inbox-crowded");
  const minutes = (await page.locator("table", { hasText: "Overdue (40)" }).locator("tbody .fp-due").allInnerTexts())
    .map((words) => /Overdue by (\d+) (minute|hour)/.exec(words)).map(([, count, unit]) => count * (unit === "hour" ? 60 : 1));
  assert.deepEqual(minutes, [...minutes].sort((a, b) => b - a), "what is late longest stands first");
  const all = [...late, ...await references(page, "To do (60)")];
  for (const words of [/Showing 26 to 50 of 60/, /Showing 51 to 60 of 60/]) {
    await page.click("text=Next page");
    assert.match(await page.locator("nav[aria-label=Pages]").innerText(), words);
    assert.deepEqual(await page.locator("caption").allTextContents(), ["To do (60)"]);
    all.push(...await references(page, "To do (60)"));
  }
  assert.equal(await page.locator("text=Next page").count(), 0);
  assert.equal(all.length, 100);
  assert.equal(new Set(all).size, 100);
  await sound(page, "inbox-crowded-last");
  seemly(page);
});

test("a manager's report draws what its table says: each month's number, and between which two lines it should lie", async () => {
  const page = await newPage(office, { scripts: true });
  await signIn(page, office, "max");
  await page.goto(office.url + "/reports");
  await page.locator("text=The numbers").first().click();
  const rows = await page.locator("tbody tr").evaluateAll((all) =>
    all.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.lastChild.textContent)));
  const begun = rows.filter(([notices]) => notices !== "Not yet"), expected = rows.filter(([, range]) => / to /.test(range));
  assert.equal(rows.length, 12);
  assert(expected.length > 0, "with a year's notices before it, a month is expected to bring some");
  const svg = page.locator("svg:visible");
  assert.equal(await svg.count(), 1);
  assert.deepEqual(await svg.locator('text[font-weight="700"]').allTextContents(), rows.map(([notices]) => (notices === "Not yet" ? "" : notices)));
  assert.equal(await svg.locator("rect[y]").count(), begun.length);
  assert.equal(await svg.locator('path[stroke="#801650"]').count(), 2 * expected.length);
  const said = await page.locator("section > p").first().innerText();
  assert.equal(parseInt(said), begun.reduce((sum, [notices]) => sum + Number(notices), 0));
  assert.match(said, /No month (of which the expected range is known )?brought fewer|Fewer than expected came in /);
  await sound(page, "reports-expected");
  const csv = await (await page.request.get(office.url + (await page.locator("text=to give to others").getAttribute("href")))).text();
  assert.match(csv, /^Authority,Month,Notices,ExpectedLow,ExpectedHigh,FlagListLate,ConnectionLost\nE10000024,\d{4}-04,/);
  const told = [...csv.matchAll(/^E10000024,\d{4}-\d\d,([^,]*),/gm)];
  assert.equal(told.length, begun.length);
  for (const [, count] of told) assert.match(count, /^(0|1 to 4|[5-9]|\d\d+)$/);
});
