// The pages beside the notices: handing over flags with a preview, who may sign in, who covers, reports.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { newPage, open, seemly, signIn, sound } from "./office.mjs";

let office;
before(async () => {
  office = await open();
});
after(async () => {
  await office.close();
});

const header = "LAchildID,GivenNames,FamilyName,PersonBirthDate,FlagKind,CPPstartDate\n";
const row = (n) => `C${n},Ava,Example,2019-03-04,child_protection_plan,2025-06-19\n`;
const rows = (count) => header + Array.from({ length: count }, (_, n) => row(n)).join("");
const file = (name, text) => ({ name, mimeType: "text/csv", buffer: Buffer.from(text) });

async function upload(page, text, mode = "full") {
  await page.goto(office.url + "/flags/upload");
  await page.setInputFiles("#file", file("list.csv", text));
  await page.check(mode === "full" ? "#mode" : "#mode-2");
  await page.click("text=Show what would change");
}

async function until(page, words) {
  for (let i = 0; i < 100; ++i) {
    if ((await page.locator("main").innerText()).includes(words)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
    await page.reload();
  }
  assert.fail("the page never says: " + words);
}

test("a preview changes nothing, a shrinking list is stopped, and its results load again", async () => {
  const page = await newPage(office, { scripts: true });
  await signIn(page, office, "fay", "/flags");
  await sound(page, "flags-empty");
  await page.click("text=Upload a list");
  await sound(page, "flags-upload");
  await page.click("text=Show what would change");
  assert.match(await page.title(), /^Error: /);
  await sound(page, "flags-upload-error");

  await upload(page, rows(10));
  await page.waitForSelector("text=Nothing has changed yet");
  await sound(page, "flags-preview");
  await page.goto(office.url + "/flags");
  assert.match(await page.locator("main").innerText(), /No list was loaded from here yet/);
  await page.click("text=list.csv");
  await page.locator("button", { hasText: /^Apply$/ }).click();
  await until(page, "Loaded, CPF02");
  await sound(page, "flags-loaded");

  await upload(page, rows(2) + "C99,,,,,\nC98,x\n");
  await sound(page, "flags-preview-rejects");
  await page.click("text=Discard it");
  await page.waitForSelector("text=Nothing was changed");
  await upload(page, rows(2));
  const path = new URL(page.url()).pathname;
  await sound(page, "flags-preview-shrinks");
  await page.click("text=Confirm, and ask a second person");
  await page.waitForSelector("text=Tick the box");
  await sound(page, "flags-preview-unticked");
  await page.check("#checked");
  await page.click("text=Confirm, and ask a second person");
  await page.waitForSelector("text=You have checked it");
  assert.equal(await page.locator("button", { hasText: /^Apply$/ }).count(), 0, "the same person cannot apply it");
  await page.goto(office.url + "/flags");
  assert.match(await page.locator("main").innerText(), /10 children are flagged/);
  await sound(page, "flags-waits");

  await page.context().clearCookies();
  await signIn(page, office, "gil", "/flags");
  await page.goto(office.url + path);
  await sound(page, "flags-second-person");
  await page.locator("button", { hasText: /^Apply$/ }).click();
  await until(page, "Loaded, CPF02");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Download results")]);
  const text = await (await download.createReadStream()).toArray();
  const csv = Buffer.concat(text).toString();
  assert.match(csv, /ResultCode,ResultReason\nC0,.*,CPR06,\n/);
  await upload(page, csv, "changes");
  await page.waitForSelector("text=Nothing has changed yet");
  assert.match(await page.locator("tr", { hasText: "Rejected" }).innerText(), /0/);
  seemly(page);
});

test("whoever uploads a file of the wrong kind hears what it is and what to do, on a page", async () => {
  const page = await newPage(office);
  await signIn(page, office, "fay", "/flags");
  const upload = async (name, buffer) => {
    await page.goto(office.url + "/flags/upload");
    await page.setInputFiles("#file", { name, mimeType: "text/csv", buffer });
    await page.check("#mode");
    await page.click("text=Show what would change");
    return await page.locator("main").innerText();
  };
  const text = Buffer.from("\uFEFF" + rows(2), "utf16le");
  assert.match(await upload("list.csv", text), /CPF01: file: not text in UTF-8 but in UTF-16: save it as UTF-8/);
  assert.match(await upload("list.xlsx", Buffer.from("PK\x03\x04 and more")), /a workbook or an archive: save the sheet as "CSV UTF-8"/);
  assert.match(await upload("list.csv", Buffer.from(rows(2).replaceAll(",", ";"))), /not separated by commas/);
  assert.match(await upload("list.csv", Buffer.alloc(18 << 20, "a")), /This is too large[^]*at most 16 MiB/);
  const nothing = await upload("\u0642".repeat(120) + ".csv", Buffer.from(header + "C1,,,,,\n"));
  assert.match(nothing, /No record of it can be loaded/);
  assert.doesNotMatch(nothing, /\uFFFD|added to: nobody/);
  seemly(page);
});

test("an admin adds, changes and suspends; a leaver's notices go to somebody", async () => {
  const page = await newPage(office, { scripts: true });
  await signIn(page, office, "ada", "/users");
  await sound(page, "users");
  assert.match((await page.locator("tr", { hasText: "Ada Low" }).innerText()).replace(/\s+/g, " "), /Today, /);
  assert.match((await page.locator("tr", { hasText: "Kim Osei" }).innerText()).replace(/\s+/g, " "), /Never/);
  await page.click("text=Add somebody");
  await page.click("main button");
  await page.waitForSelector("text=There is a problem");
  await sound(page, "user-add-error");
  await page.fill("#name", "lee");
  await page.fill("#called", "Lee Jones");
  await page.fill("#teams", "South team");
  await page.click("text=Worker: own notices");
  await page.click("main button");
  await page.waitForSelector("text=Hand these over to Lee Jones");
  await sound(page, "user-secrets");
  office.people.lee = {
    password: (await page.locator(".fp-code").first().innerText()).trim(),
    code_secret: (await page.locator(".fp-code").nth(1).innerText()).trim().split(/\s/)[0],
  };
  await page.goto(office.url + "/users/ada");
  assert.match(await page.locator("main").innerText(), /This is you\. Nobody changes their own role/);
  await sound(page, "user-own");
  await page.goto(office.url + "/users/sam");
  await page.click("text=Suspend >> nth=-1");
  await page.waitForSelector("text=Choose who takes the open notices");
  await sound(page, "user-suspend-error");
  for (const path of ["/inbox", "/notices/FP-AAAA-LATE", "/reports", "/flags"]) {
    await page.goto(office.url + path);
    assert.equal(await page.locator("h1").innerText(), "Page not found");
  }
  seemly(page);
});

test("hostile names of people, teams, files and records stay text", async () => {
  const odd = `<script>document.title='x'</script> D'Arcy Siân أمل "><img src=x onerror=alert(1)>`;
  const page = await newPage(office, { scripts: true });
  const harmless = async (path) => {
    await page.goto(office.url + path);
    assert.equal(await page.locator("script, main img").count(), 0, path);
    assert.match(await page.title(), / - Flagpost$/);
    assert.match(await page.locator("main").innerText(), /<script>/, path + " shows it as it was written");
  };
  await signIn(page, office, "ada", "/users");
  await page.goto(office.url + "/users/add");
  await page.fill("#name", "odd");
  await page.fill("#called", odd);
  await page.fill("#teams", odd);
  await page.click("text=Worker: own notices");
  await page.click("main button");
  await page.waitForSelector("text=Hand these over to");
  for (const path of ["/users", "/users/odd", "/cover"]) await harmless(path);
  await page.context().clearCookies();
  await signIn(page, office, "fay", "/flags");
  await page.goto(office.url + "/flags/upload");
  await page.setInputFiles("#file", file(`${odd.replaceAll("/", "")}.csv`, header + `"${odd.replaceAll('"', '""')}",Ava,Example,no date,child_protection_plan,2025-06-19\n`));
  await page.check("#mode-2");
  await page.click("text=Show what would change");
  await page.waitForSelector("text=Nothing has changed yet");
  await harmless(new URL(page.url()).pathname);
  await harmless("/flags");
  seemly(page);
});

test("whoever covers is told so, and sees the other's own notices", async () => {
  const page = await newPage(office, { scripts: true });
  await signIn(page, office, "lee");
  assert.match(await page.locator("main").innerText(), /Nothing to act on/);
  const away = await newPage(office, { scripts: true });
  await signIn(away, office, "sam");
  await away.goto(office.url + "/cover");
  await sound(away, "cover-empty");
  await away.click("text=Keep");
  await away.waitForSelector("text=There is a problem");
  await sound(away, "cover-error");
  const day = (ahead) =>
    new Date(Date.now() + ahead * 86_400_000).toLocaleDateString("en-CA", { timeZone: "Europe/London" });
  await away.selectOption("#by", "lee");
  await away.fill("#from", day(0));
  await away.fill("#until", day(1));
  await away.click("text=Keep");
  await away.waitForSelector("text=The notices are in the inbox of who covers");
  await sound(away, "cover");
  await page.goto(office.url + "/inbox");
  assert.match(await page.locator("main").innerText(), /You are covering Sam Patel until tomorrow\./);
  assert(await page.locator("tbody th a").count() > 0);
  await sound(page, "inbox-covering");
  await away.goto(office.url + "/cover");
  await away.click("text=End the cover");
  await away.waitForSelector("text=The cover has ended");
  await page.goto(office.url + "/inbox");
  assert.match(await page.locator("main").innerText(), /Nothing to act on/);
  seemly(page);
  seemly(away);
});

test("a manager's report says in words what it draws", async () => {
  const page = await newPage(office, { scripts: true });
  await signIn(page, office, "max");
  await page.click("text=Reports");
  await page.locator("text=The numbers").first().click();
  const numbers = (await page.locator("tbody").first().locator("td:nth-child(2)").allInnerTexts())
            .map((each) => parseInt(each.replace(/\D/g, "") || "0"));
  const said = parseInt(await page.locator("section > p").first().innerText());
  assert(said > 0);
  assert.equal(numbers.reduce((sum, each) => sum + each, 0), said);
  await sound(page, "reports");
});
