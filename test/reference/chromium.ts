import { existsSync } from "node:fs";
import { type Browser, chromium as driver } from "playwright-core";
import type { Engine, EngineBrowser } from "./engine.ts";

/** Path of a Chromium to test in, or undefined: then such tests are skipped, and say so. */
export const CHROMIUM = ["/usr/bin/chromium", process.env.CHROMIUM ?? ""].find(
  (path) => path !== "" && existsSync(path),
);

if (!CHROMIUM) console.warn("SKIPPED: Chromium. Install it or set CHROMIUM to its path.");

/**
 * Starts it without what would call out or need a screen.
 *
 * @param more arguments of its own for a test
 */
export function launchChromium(more: readonly string[] = []): Promise<Browser> {
  const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"];
  return driver.launch({
    executablePath: CHROMIUM!,
    args: [...quiet, "--disable-background-networking", "--disable-component-update", ...more],
  });
}

async function launch(): Promise<EngineBrowser> {
  const browser = await launchChromium();
  return {
    async newPage() {
      const page = await browser.newPage();
      return {
        goto: async (url) => void (await page.goto(url)),
        evaluate: (script, argument) => page.evaluate(script as never, argument as never) as never,
        close: () => page.close(),
      };
    },
    close: () => browser.close(),
  };
}

export const chromium: Engine = { name: "Chromium", there: CHROMIUM !== undefined, launch };
