/**
 * The main flow in Firefox, over WebDriver BiDi: sign in, then make one keystore for each key type.
 *
 * stdin: JSON {program, downloads, signIn, page, email, accountPassword, keystores: [{alias, keyType, password}]}
 * stdout: JSON {version, files: [name, …], lines: [the requests that the page lists], kept, problems: [text, …],
 * noticed: whether a breach of the policy that this script makes at the end was noticed as one}
 */
import { readdir } from "node:fs/promises";
import { text } from "node:stream/consumers";

import puppeteer from "puppeteer-core";

const HANG_MILLISECONDS = 90_000;
const { program, downloads, signIn, page: address, email, accountPassword, keystores } = JSON.parse(await text(process.stdin));

const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath: program,
  protocol: "webDriverBiDi",
  headless: true,
  timeout: HANG_MILLISECONDS,
  extraPrefsFirefox: {
    "browser.download.folderList": 2,
    "browser.download.dir": downloads,
    "browser.download.useDownloadDir": true,
    "browser.download.always_ask_before_handling_new_types": false,
    "browser.download.alwaysOpenPanel": false,
  },
});
const problems = [];
try {
  console.log(JSON.stringify(await run()));
} finally {
  await browser.close();
}

async function run() {
  const page = await browser.newPage();
  page.setDefaultTimeout(HANG_MILLISECONDS);
  page.on("pageerror", (failure) => problems.push(String(failure)));
  page.on("console", (message) => message.text().includes("CSP breach") && problems.push(message.text()));
  await page.evaluateOnNewDocument(() =>
    addEventListener("securitypolicyviolation", (event) =>
      console.error("CSP breach", event.violatedDirective, event.blockedURI, event.sourceFile),
    ),
  );
  await page.goto(signIn);
  await type(page, "E-mail address", email);
  await type(page, "Password", accountPassword);
  await Promise.all([page.waitForNavigation(), press(page, "Sign in")]);

  const files = [];
  const lines = [];
  for (const keystore of keystores) {
    await page.goto(address);
    files.push(await make(page, keystore));
    lines.push(await page.evaluate(() => [...document.querySelectorAll("#requests > li")].map((line) => line.innerText)));
    await press(page, "The keystore is saved and I know its password");
    await visible(page, "#confirmed");
  }
  await page.goto(address);
  await visible(page, "#form-fields:enabled"); // Before that the page tries whether it can keep a copy.
  const kept = await page.evaluate(countCopies);
  const found = [...problems];
  await page.evaluate(() => document.body.setAttribute("style", "color: red"));
  const noticed = await noticedBreach(found.length);
  return { version: await browser.version(), files, lines, kept, problems: found, noticed };
}

/** Fill in the form, press the button, and wait for the file. @returns its name */
async function make(page, { alias, keyType, password }) {
  await visible(page, "#form-fields:enabled");
  await type(page, "Certificate alias", alias);
  await type(page, "Keystore password", password);
  await type(page, "Repeat the keystore password", password);
  const types = await labelled(page, "Key type");
  const value = await types.evaluate((select, label) => [...select.options].find((one) => one.text === label).value, keyType);
  await types.select(value);
  const before = new Set(await readdir(downloads));
  await press(page, "Create certificate");
  await visible(page, "#finished");
  return await newFile(before);
}

/** Whether one more problem than these comes to be known. */
async function noticedBreach(before) {
  const end = Date.now() + HANG_MILLISECONDS;
  while (problems.length === before && Date.now() < end) await pause();
  return problems.length > before;
}

/** The first file that is whole and was not there before. */
async function newFile(before) {
  const end = Date.now() + HANG_MILLISECONDS;
  while (Date.now() < end) {
    const found = await readdir(downloads);
    const unfinished = found.some((name) => name.endsWith(".part"));
    const [name] = found.filter((one) => !before.has(one) && !one.endsWith(".part"));
    if (name && !unfinished) return name;
    await pause();
  }
  throw new Error("Firefox downloaded nothing.");
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

async function type(page, label, words) {
  await (await labelled(page, label)).type(words);
}

/** The field with this label, word for word. */
async function labelled(page, words) {
  return await awaited(
    page,
    (wanted) => [...document.querySelectorAll("label")].find((one) => one.innerText.trim() === wanted)?.control,
    words,
  );
}

async function press(page, name) {
  const button = await awaited(
    page,
    (wanted) => [...document.querySelectorAll("button")].find((one) => one.innerText.trim() === wanted && one.checkVisibility()),
    name,
  );
  await button.click();
}

/** The first element with this selector that can be seen. */
async function visible(page, selector) {
  return await awaited(page, (wanted) => [...document.querySelectorAll(wanted)].find((one) => one.checkVisibility()), selector);
}

/** The element that `find` finds in the page, once it does. Puppeteer's own waiting makes code from text, which the policy forbids. */
async function awaited(page, find, words) {
  const end = Date.now() + HANG_MILLISECONDS;
  while (Date.now() < end) {
    const element = (await page.evaluateHandle(find, words)).asElement();
    if (element) return element;
    await pause();
  }
  throw new Error(`The page shows nothing like this: ${words}`);
}

/** How many copies of keys the browser still keeps. */
async function countCopies() {
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const database = await done(indexedDB.open("rehearsal-keys"));
  const count = await done(database.transaction("copies").objectStore("copies").count());
  database.close();
  return count;
}
