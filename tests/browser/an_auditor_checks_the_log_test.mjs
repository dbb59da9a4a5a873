// The audit desk: every page in every state, the keyboard alone, charts that say what their tables say, and damage that is seen.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newPage, open, picture, seemly, signIn, sound, wide } from "./office.mjs";

let desk;
before(async () => { desk = await open("audit_desk.py"); });
after(async () => { await desk.close(); });

/** The page once it no longer says that work is under way. */
async function whole(page, path) {
  await page.goto(desk.url + path);
  while (await page.locator("#progress").count()) await page.goto(desk.url + path);
}

test("every page of the desk, wide and narrow", async () => {
  const page = await newPage(desk, { scripts: true });
  await page.goto(desk.url + "/privacy");
  await sound(page, "audit-privacy");
  await signIn(page, desk, "jo");
  await whole(page, "/audit");
  assert.match(await page.locator(".govuk-inset-text").first().innerText(), /The log verifies\..* Checked on this machine, not by the broker\./);
  assert.match(await page.locator("main").innerText(), /1 of 2 witnesses: care; missing: oak-trust/);
  assert.match(await page.locator("main").innerText(), /0 differ/);
  await sound(page, "audit-overview");
  await page.setViewportSize(wide);
  for (const summary of await page.locator("summary").all()) await summary.click();
  await sound(page, "audit-overview-numbers");
  for (const [name, path] of Object.entries({ timeline: "/audit/timeline", "timeline-of-one": "/audit/timeline?incident=31/OCC-5", open: "/audit/open",
    "timeline-wrong": "/audit/timeline?from=yesterday&agency=nobody", explain: "/audit/explain", explained: "/audit/explain?incident=31/OCC-5",
    "explain-wrong": "/audit/explain?incident=31/NONE", entry: "/audit/entries/9", export: "/audit/export", nothing: "/audit/nothing" })) {
    await whole(page, path);
    await sound(page, "audit-" + name);
  }
  await whole(page, "/audit/explain?incident=31/OCC-5");
  for (const summary of await page.locator("summary").all()) await summary.click();
  await sound(page, "audit-explained-weights");
});

test("a chart says what its table says, and one of its two sizes is shown", async () => {
  const page = await newPage(desk);
  await signIn(page, desk, "al");
  await whole(page, "/audit");
  for (const [name, heading] of [["in-time", "Were schools told in time?"], ["finished", "Was every notice finished?"]]) {
    const part = page.locator(`section[aria-labelledby="${name}-h"]`);
    assert.equal(await part.locator("h2").innerText(), heading);
    assert.equal(await part.locator("svg:visible").count(), 1);
    assert.equal(await part.locator("svg:visible").getAttribute("role"), "img");
    const said = await part.locator(`#${name}-wide-d`).textContent();
    assert((await part.locator("p").first().innerText()).startsWith(said), said);
  }
  const rows = await page.locator('section[aria-labelledby="finished-h"] tbody tr').evaluateAll((all) =>
    all.map((row) => [...row.querySelectorAll("td")].map((cell) => Number(cell.lastChild.textContent))));
  const due = rows.flat().reduce((a, b) => a + b, 0), still = rows.reduce((sum, row) => sum + row[3], 0);
  const said = await page.locator("#finished-wide-d").textContent();
  assert.equal(said, `In 13 weeks ${due} notices were due. ${due - still} are finished, ${still} are still open.`);
  assert(still > 0 && rows.some((row) => row[1] > 0) && rows.some((row) => row[2] > 0), "the quarter has every kind of end");
  const bold = await page.locator('#in-time-h ~ svg:visible text[font-weight="700"]').allTextContents();
  const [, count, of, share] = /^(\d+) of (\d+) notices to schools were opened in time \((.*)\)/.exec(await page.locator("#in-time-wide-d").textContent());
  assert(bold.includes(`${count} opened in time (${share})`), bold.join(" | "));
  assert(Number(count) < Number(of));
  seemly(page);
});

test("from sign-in to why somebody was told, with the keyboard alone", async () => {
  const page = await newPage(desk);
  const tabTo = async (selector) => {
    for (let i = 0; i < 120; ++i) {
      await page.keyboard.press("Tab");
      if (await page.locator(`${selector}:focus`).count()) return;
    }
    assert.fail("the keyboard does not reach " + selector);
  };
  await signIn(page, desk, "jo");
  await whole(page, "/audit");
  await page.keyboard.press("Tab");
  assert.match(await page.locator(":focus").innerText(), /Skip to main content/);
  await tabTo("#incident");
  await page.keyboard.type("31/OCC-4");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/audit/explain?incident=31%2FOCC-4");
  while (await page.locator("#progress").count()) await page.reload();
  assert.match(await page.locator("main").innerText(), /under rule SC-1/);
  await tabTo("summary");
  await page.keyboard.press("Enter");
  assert(await page.locator("details[open] table").count());
  await picture(page, "audit-explained-by-keyboard");
  seemly(page);
});

test("a wrong filter is named, linked and kept as typed", async () => {
  const page = await newPage(desk);
  await signIn(page, desk, "al");
  await page.goto(desk.url + "/audit/timeline");
  await page.fill("#from", "last week");
  await page.click("text=Apply");
  assert.match(await page.title(), /^Error: Timeline/);
  assert.equal(await page.inputValue("#from"), "last week");
  assert(await page.locator(".govuk-error-summary:focus").count(), "the error summary has the focus");
  await page.click('.govuk-error-summary a[href="#from"]');
  assert(page.url().endsWith("#from"));
});

test("prefetching and HEAD read nothing; reading is written down; signing out ends it", async () => {
  const page = await newPage(desk);
  await signIn(page, desk, "di");
  await whole(page, "/audit");
  const before = (await desk.ask("readings")).length;
  const prefetch = await page.request.get(desk.url + "/audit/open", { headers: { "Sec-Purpose": "prefetch" } });
  assert.equal(prefetch.status(), 503);
  assert.equal((await page.request.head(desk.url + "/audit/open")).status(), 405);
  assert.equal((await desk.ask("readings")).length, before);
  await page.goto(desk.url + "/audit/open");
  assert.deepEqual((await desk.ask("readings")).slice(before), ["open"]);
  await page.click("text=Sign out");
  await page.waitForURL("**/sign-in");
  await page.goBack();
  assert.match(page.url(), /sign-in$/);
});

test("without a key the desk says what it cannot see", async () => {
  const page = await newPage({ ...desk, url: desk.keyless }, { scripts: true });
  await signIn(page, { ...desk, url: desk.keyless }, "al");
  await page.goto(desk.keyless + "/audit");
  while (await page.locator("#progress").count()) await page.goto(desk.keyless + "/audit");
  assert.match(await page.locator("main").innerText(), /This desk holds no key, so bodies stay shut/);
  await sound(page, "audit-overview-no-key");
});

test("an authority's own counts stand beside the log's charts, and are not drawn from it", async () => {
  const page = await newPage(desk);
  await signIn(page, desk, "ed");
  await whole(page, "/audit");
  const part = page.locator('section[aria-labelledby="notices-2-h"]');
  assert.equal(await part.locator("h2").innerText(), "Notices each month, authority E10000024, April 2025 to March 2026");
  const said = await page.locator("#notices-2-wide-d").textContent();
  const numbers = await part.locator("tbody td:nth-child(2)").evaluateAll((cells) => cells.map((cell) => Number(cell.lastChild.textContent) || 0));
  assert(said.startsWith(`${numbers.reduce((a, b) => a + b)} notices came. Fewer than expected: August, September.`), said);
  assert(said.endsWith("hatched: August, September, November."), said);
  const drawn = await part.locator('svg:visible text[font-weight="700"]').allTextContents();
  assert.deepEqual(drawn.filter(Boolean).map(Number), numbers.filter(Boolean));
  assert.equal(await part.locator('svg:visible rect[fill^="url("]').count(), 3);
  assert.match(await page.locator('section[aria-labelledby="notices-1-h"] tbody').textContent(), /1 to 4/);
  assert.match(await page.locator("main").innerText(), /not drawn from the log/);
  const csv = await (await page.request.get(desk.url + "/audit/notices-2.csv")).text();
  assert.match(csv, /"August","3","14 to 30","Yes","No"/);
  seemly(page);
});

test("with forced colours the charts and the verdict are still told", async () => {
  const page = await newPage(desk, { forcedColors: "active" });
  await signIn(page, desk, "al");
  await whole(page, "/audit");
  await picture(page, "audit-overview-forced-colours");
});

test("damage is named first on the page, by its entry, in words that say what to do", async () => {
  const page = await newPage(desk, { scripts: true });
  await signIn(page, desk, "cy");
  await desk.ask("damage");
  await whole(page, "/audit");
  await page.click("text=Check again");
  await whole(page, "/audit");
  const summary = await page.locator(".govuk-error-summary").innerText();
  assert.match(summary, /The log does not verify\.\s+First bad entry: \d+\. Do not rely on anything after it\. Keep this export\. Tell: 01632 960100/);
  await sound(page, "audit-overview-damaged");
  await page.click("tbody th a");
  assert.match(await page.locator("main").innerText(), /This entry is not proven/);
  await sound(page, "audit-entry-damaged");
});
