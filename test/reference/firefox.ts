import { existsSync } from "node:fs";
import puppeteer from "puppeteer-core";
import { type Engine, type EngineBrowser, engineBrowser, SCRIPT_MS } from "./engine.ts";

/** Path of a Firefox to test in, or undefined: then such tests are skipped, and say so. */
export const FIREFOX = ["/usr/bin/firefox-esr", process.env.FIREFOX ?? ""].find(
  (path) => path !== "" && existsSync(path),
);

if (!FIREFOX) console.warn("SKIPPED: Firefox. Install it (firefox-esr) or set FIREFOX to its path.");

/** Starts it without a screen, driven by WebDriver BiDi; Playwright wants a Firefox of its own. */
async function launch(scriptMs = SCRIPT_MS): Promise<EngineBrowser> {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: FIREFOX!,
    headless: true,
    protocolTimeout: scriptMs,
  });
  return engineBrowser(browser);
}

export const firefox: Engine = { name: "Firefox", there: FIREFOX !== undefined, launch };
