import { existsSync } from "node:fs";
import { type Browser, chromium as driver } from "playwright-core";
import { type Engine, engineBrowser } from "./engine.ts";

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

export const chromium: Engine = {
  name: "Chromium",
  there: CHROMIUM !== undefined,
  launch: async () => engineBrowser(await launchChromium()),
};
