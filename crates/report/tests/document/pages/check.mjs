// Opens pages in Chromium, light and dark, wide and narrow, and on paper, and prints what is wrong with them, one line each.
//
// node check.mjs TOOLS CHROMIUM PAGE… — TOOLS holds node_modules with axe-core and playwright-core
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { join, resolve } from "node:path";

const [tools, chromium, ...pages] = process.argv.slice(2);
const require = createRequire(join(resolve(tools), "package.json"));
const playwright = require("playwright-core");
const { source } = require("axe-core");

const args = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const browser = await playwright.chromium.launch({ executablePath: chromium, args, chromiumSandbox: false, timeout: 0 });

async function open(path, options, media = "screen") {
  const context = await browser.newContext({ bypassCSP: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(0);
  const say = (wrong) => console.log(`${path} ${JSON.stringify(options)}: ${wrong}`);
  page.on("request", (request) => {
    if (request.url() !== pathToFileURL(path).href) say(`asks for ${request.url()}`);
  });
  page.on("dialog", (dialog) => {
    say("runs a script");
    dialog.dismiss();
  });
  await page.emulateMedia({ media });
  await page.goto(pathToFileURL(path).href);
  return { page, say, close: () => context.close() };
}

for (const path of pages.map((path) => resolve(path))) {
  for (const colorScheme of ["light", "dark"]) {
    for (const viewport of [{ width: 1280, height: 900 }, { width: 360, height: 740 }]) {
      // narrow pages have the same colours
      if (colorScheme === "dark" && viewport.width === 360) continue;
      const { page, say, close } = await open(path, { colorScheme, viewport });
      // what is folded is looked at too
      await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
      const widest = await page.evaluate(() => document.documentElement.scrollWidth);
      if (widest > viewport.width) say(`is ${widest} wide`);
      await page.evaluate(source);
      const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
      for (const { id, impact, help, nodes } of found.violations) {
        say(`${impact} ${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" … ")}`);
      }
      await close();
    }
  }
  const sizes = await open(path, { viewport: { width: 320, height: 740 } });
  for (const width of [320, 480, 704, 720, 800, 992, 1000]) {
    await sizes.page.setViewportSize({ width, height: 740 });
    const widest = await sizes.page.evaluate(() => document.documentElement.scrollWidth);
    if (widest > width) sizes.say(`is ${widest} wide where there is room for ${width}`);
  }
  await sizes.close();
  const { page, say, close } = await open(path, { viewport: { width: 688, height: 1000 } }, "print");
  // A4 without its margins
  const widest = await page.evaluate(() => document.documentElement.scrollWidth);
  if (widest > 688) say(`is ${widest} wide on paper`);
  const folded = await page.evaluate(() =>
    [...document.querySelectorAll("details > .folded")].filter((inside) => !inside.checkVisibility({ contentVisibilityAuto: true }) || inside.getClientRects().length === 0).length);
  if (folded > 0) say(`folds ${folded} details on paper`);
  await close();
}
await browser.close();
console.log("looked at", pages.length);
