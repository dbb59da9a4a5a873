#!/usr/bin/env node
// take-pictures FOLDER: a picture of each page named on standard input: [{"url", "home", "people", "person", "pages": {name: path}}].
// Needs Debian's chromium and the packages that npm installed for the pages; called by tools/demo --once.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { launch, newPage, signIn } from "../tests/browser/office.mjs";

const folder = process.argv[2];
const browser = await launch();
for (const desk of JSON.parse(readFileSync(0, "utf8"))) {
  const page = await newPage({ ...desk, browser });
  await signIn(page, desk, desk.person);
  for (const [name, path] of Object.entries(desk.pages)) {
    await page.goto(desk.url + path);
    while (await page.locator("#progress").count()) await page.goto(desk.url + path);
    await page.screenshot({ path: join(folder, name + ".png"), fullPage: true });
  }
  await page.context().close();
}
await browser.close();
