// Forms that come from elsewhere, pages that are another role's, and the headers every answer carries.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { newPage, open, seemly, signIn } from "./office.mjs";

const late = "FP-AAAA-LATE", soon = "FP-BBBB-SOON", match = "RV-AAAA-0NE1";
const headers = {
  "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "strict-transport-security": "max-age=31536000",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
  "x-robots-tag": "noindex, nofollow",
  "cache-control": "no-store",
};
let office;
before(async () => { office = await open("desk"); });
after(async () => { await office.close(); });

const home = { rae: "/review", fay: "/flags", ada: "/users" };
const pages = {};
/** Each signs in once: a code serves once. */
async function as(name) {
  if (!pages[name]) {
    pages[name] = await newPage(office);
    await signIn(pages[name], office, name, home[name]);
  }
  return pages[name];
}

/** The hidden fields of the form that records. */
async function formOf(page, reference) {
  await page.goto(`${office.url}/notices/${reference}`);
  return Object.fromEntries(await page.locator(".fp-next form[action$=record] input[type=hidden]").evaluateAll((all) => all.map((each) => [each.name, each.value])));
}
// The server ends a connection after some requests, whatever is on its way.
const maxRetries = 3;
const post = (page, path, form, sent) => page.request.post(office.url + path, { form, headers: sent, maxRedirects: 0, maxRetries });

test("every answer carries the headers", async () => {
  const page = await as("sam");
  const asset = await page.locator("link[rel=stylesheet]").getAttribute("href");
  for (const path of ["/inbox", `/notices/${late}`, `/notices/${late}/print`, "/nothing", "/sign-in", "/hide", "/reports"]) {
    const got = (await page.request.get(office.url + path, { maxRetries })).headers();
    for (const [name, value] of Object.entries(headers)) assert.equal(got[name], value, `${name} of ${path}`);
    assert.equal(got.server, undefined);
  }
  const styles = (await page.request.get(office.url + asset)).headers();
  for (const [name, value] of Object.entries({ ...headers, "cache-control": "public, max-age=31536000, immutable" })) assert.equal(styles[name], value, name);
  const refused = (await post(page, `/notices/${late}/record`, { outcome: "known" }, { origin: office.url })).headers();
  for (const [name, value] of Object.entries(headers)) assert.equal(refused[name], value, `${name} of a refusal`);
});

test("a form with a wrong token, or without one, records nothing and is logged", async () => {
  const page = await as("sam"), form = await formOf(page, soon), own = { origin: office.url };
  const other = await as("kim"), hers = await formOf(other, soon);
  const before = await office.ask("said wrong token");
  const wrong = [{ once: form.once }, { ...form, csrf: "" }, { ...form, csrf: "00".repeat(64) }, { ...form, csrf: hers.csrf },
    { ...form, csrf: form.csrf.slice(2) + form.csrf.slice(0, 2) }];
  for (const each of wrong) {
    const answer = await post(page, `/notices/${soon}/record`, { ...each, outcome: "known" }, own);
    assert.equal(answer.status(), 400);
    assert.match(await answer.text(), /Nothing was\s+recorded/);
  }
  assert.equal(await office.ask("said wrong token"), before + wrong.length);
  assert.equal(await office.ask("receipts " + soon), 1, "opened, and no more");
});

test("a form from another site, or from nowhere, records nothing and is logged", async () => {
  const page = await as("sam"), form = { ...await formOf(page, soon), outcome: "known" }, path = `/notices/${soon}/record`;
  const before = await office.ask("said not from our own page");
  const from = [{ origin: "https://elsewhere.example" }, { origin: "null" }, {}, { origin: office.url, "sec-fetch-site": "cross-site" },
    { origin: office.url, "sec-fetch-site": "same-site" }, { "sec-fetch-site": "none" }];
  for (const each of from) assert.equal((await post(page, path, form, each)).status(), 400, JSON.stringify(each));
  assert.equal(await office.ask("said not from our own page"), before + from.length);

  // The same from a page of another site, as a browser sends it: it comes without the session, and is nobody's.
  const site = createServer((_, answer) => answer.setHeader("content-type", "text/html").end(
    `<form method="post" action="${office.url}${path}">${Object.entries(form).map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`).join("")}<button>Win</button></form>`));
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  const lured = await page.context().newPage();
  await lured.goto(`http://127.0.0.1:${site.address().port}/`);
  await lured.click("button");
  await lured.waitForURL("**/sign-in");
  site.close();
  assert.equal(await office.ask("receipts " + soon), 1, "opened, and no more");
});

const may = {
  "/inbox": "sam new kim max", "/done": "sam new kim max", "/cover": "sam new kim max ada",
  [`/notices/${late}`]: "sam kim max", [`/notices/${late}/print`]: "sam kim max", [`/notices/${late}/pass`]: "sam kim max",
  [`/notices/${late}/ask`]: "sam kim max", [`/notices/${late}/not-this-child`]: "sam kim max",
  "/reports": "max", "/reports/notices.csv": "max",
  "/review": "rae", [`/review/${match}`]: "rae",
  "/flags": "fay", "/flags/upload": "fay", "/flags/loads/1": "",
  "/users": "ada", "/users/add": "ada", "/users/sam": "ada", "/users/nobody": "",
  "/notices/FP-0000-0000": "", "/review/RV-0000-0000": "", "/nothing": "",
};
const posts = {
  [`/notices/${late}/record`]: "sam kim max", [`/notices/${late}/take`]: "sam kim max", [`/notices/${late}/pass`]: "sam kim max",
  [`/notices/${late}/ask`]: "sam kim max", [`/notices/${late}/not-this-child`]: "sam kim max", [`/review/${match}/decide`]: "rae",
  "/flags/loads/1/apply": "", "/flags/loads/1/discard": "", "/users/add": "ada", "/users/sam/change": "ada", "/users/sam/suspend": "ada",
  "/users/sam/reinstate": "ada", "/users/sam/renew": "ada", "/users/sam/password": "ada", "/cover/set": "sam new kim max ada", "/cover/end": "sam new kim max ada",
};

test("each role gets its own pages, and of the rest the page of what does not exist", async () => {
  const people = ["sam", "new", "kim", "max", "rae", "fay", "ada"];
  for (const name of people) {
    const page = await as(name);
    for (const [path, who] of Object.entries(may))
      assert.equal((await page.request.get(office.url + path, { maxRetries })).status(), who.split(" ").includes(name) ? 200 : 404, `${name} of ${path}`);
    const form = { csrf: await page.locator("form[action='/sign-out'] input[name=csrf]").getAttribute("value") };
    for (const [path, who] of Object.entries(posts))
      if (!who.split(" ").includes(name))
        assert.equal((await post(page, path, form, { origin: office.url })).status(), 404, `${name} to ${path}`);
  }
  // "Not yours" and "does not exist" are one page.
  const page = await as("new");
  const words = async (path) => (await page.goto(office.url + path), (await page.locator("main").innerText()));
  assert.equal(await words(`/notices/${late}`), await words("/notices/FP-0000-0000"));
  for (const name of people) seemly(await as(name));
});

test("a manager's look, prefetching and HEAD stop no clock", async () => {
  const reference = "FP-DDDD-HIST", path = `${office.url}/notices/${reference}`;
  const manager = await as("max"), page = await as("kim");
  await manager.goto(path);
  assert.match(await manager.locator("#next").innerText(), /opening it has not stopped the clock/);
  const before = await office.ask("journal " + reference);
  assert.deepEqual(before, [["consulted", "max"]]);
  assert.equal((await page.request.get(path, { headers: { "sec-purpose": "prefetch" } })).status(), 503);
  assert.equal((await page.request.get(path, { headers: { purpose: "prefetch" } })).status(), 503);
  assert.equal((await page.request.head(path)).status(), 405);
  assert.deepEqual(await office.ask("journal " + reference), before);
  assert.equal(await office.ask("receipts " + reference), 0);
  await page.goto(path);
  assert.equal(await office.ask("receipts " + reference), 1);
});
