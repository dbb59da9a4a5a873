// What browser tests share: a department with pages (office.py), a browser, signing in, and rules every page must keep.
import assert from "node:assert/strict";
import { spawn, execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const build = process.env.FLAGPOST_BUILD ?? join(here, "../../build");
const require = createRequire(join(build, "web/"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const pictures = join(build, "screenshots");
mkdirSync(pictures, { recursive: true });

const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
export const wide = { width: 1280, height: 800 }, narrow = { width: 320, height: 800 };

function base32(text) {
  const bits = [...text].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

export function codeOf(secret, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", base32(secret)).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

export function launch() {
  return chromium.launch({ executablePath: execFileSync("which", ["chromium"]).toString().trim(), args: flags });
}

/** A running department, or what `of` names (a script of its own, if it ends so): { url, home, people, ask(line), close() }. One opened
 * with a clock has advance(seconds) too. */
export async function open(of = "office.py") {
  const script = of.endsWith(".py") ? [of] : ["office.py", ...of.split(" ")];
  const child = spawn("/usr/bin/python3", [join(here, script[0]), ...script.slice(1)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  assert(!first.done, of + " did not start");
  const browser = await launch();
  const office = { ...JSON.parse(first.value), browser };
  office.ask = async (line) => {
    child.stdin.write(line + "\n");
    return JSON.parse((await lines.next()).value);
  };
  office.ahead_s = 0;
  office.advance = (seconds) => office.ask("clock " + (office.ahead_s += seconds));
  office.close = async () => {
    await browser.close();
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.stdin.end();
    await ended;
  };
  return office;
}

/** A page that fails the test for any request elsewhere and any word on the console. */
export async function newPage(office, { scripts = false, viewport = wide, ...rest } = {}) {
  const context = await office.browser.newContext({ javaScriptEnabled: scripts, viewport, ...rest });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.complaints = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(office.url + "/")) page.complaints.push("asked " + request.url());
  });
  page.on("console", (message) => {
    // A browser says of every 404, 409 and 422 that it is one.
    if (!/Failed to load resource/.test(message.text())) page.complaints.push("console: " + message.text());
  });
  page.on("dialog", (dialog) => { page.complaints.push("dialog"); dialog.dismiss(); });
  return page;
}

const steps = {};
/** A code not used yet, which is good for 15 seconds at least: each serves once, so that a fourth sign-in of one person waits for its
 * time. `ahead_s`: of the office's clock. */
export async function freshCode(name, secret, ahead_s = 0) {
  const now = () => Date.now() + 1000 * ahead_s, step = () => Math.floor(now() / 30_000);
  const first = now() % 30_000 < 15_000 ? step() - 1 : step();
  steps[name] = Math.max(first, (steps[name] ?? 0) + 1);
  while (steps[name] > step() + 1) await new Promise((resolve) => setTimeout(resolve, 200));
  return codeOf(secret, steps[name]);
}

/** Where the password was the first one, which serves once: another is chosen, and remembered in its place. */
export async function choosePassword(page, office, name) {
  await page.waitForURL((url) => url.pathname !== "/sign-in/code");
  if (new URL(page.url()).pathname !== "/new-password") return;
  const own = office.people[name].password = name + " likes warm rain";
  await page.fill("#password", own);
  await page.fill("#again", own);
  await page.click("main button");
}

export async function signIn(page, office, name, home = office.home ?? "/inbox") {
  const { password, code_secret } = office.people[name];
  await page.goto(office.url + "/sign-in");
  await page.fill("#name", name);
  await page.fill("#password", password);
  await page.click("main button");
  await page.fill("#code", await freshCode(name, code_secret, office.ahead_s));
  await page.click("main button");
  await choosePassword(page, office, name);
  await page.waitForURL("**" + home);
}

export async function picture(page, name) {
  await page.screenshot({ path: join(pictures, name + ".png"), fullPage: true });
}

export function seemly(page) {
  assert.deepEqual(page.complaints, []);
}

/** No violation that axe knows; needs a page with scripts. */
export async function accessible(page, name) {
  await page.evaluate(axe);
  const result = await page.evaluate(() =>
    axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  assert.deepEqual(result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ").slice(0, 300)}`), [], name);
}

/** Axe at both widths, nothing scrolls sideways, cells are wide enough to read, one h1, and nothing came from elsewhere. */
export async function sound(page, name) {
  for (const size of [wide, narrow]) {
    await page.setViewportSize(size);
    const full = `${name}-${size.width}`;
    await picture(page, full);
    await accessible(page, full);
    const { scrolls, narrowest, unstyled } = await page.evaluate(() => ({
      scrolls: document.documentElement.scrollWidth > document.documentElement.clientWidth,
      narrowest: Math.min(1e9, ...[...document.querySelectorAll("tbody th, tbody td")].filter((c) => c.checkVisibility()).map((c) => c.getBoundingClientRect().width)),
      unstyled: getComputedStyle(document.querySelector("h1")).fontFamily.includes("Times"),
    }));
    assert(!unstyled, "the pages have no styles: they were built without npm");
    assert(!scrolls, `${full} scrolls sideways`);
    if (size === narrow) assert(narrowest >= 250, `${full}: a cell is ${narrowest} pixels wide`);
    assert.equal(await page.locator("h1").count(), 1, full);
    seemly(page);
  }
}

export const folderOfPictures = pictures;
