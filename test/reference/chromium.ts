import { existsSync } from "node:fs";
import { type Browser, chromium as driver } from "playwright-core";
import { type Engine, engineBrowser } from "./engine.ts";

/** Path of a Chromium to test in, or undefined: then such tests are skipped, and say so. */
export const CHROMIUM = ["/usr/bin/chromium", process.env.CHROMIUM ?? ""].find(
  (path) => path !== "" && existsSync(path),
);

if (!CHROMIUM) console.warn("SKIPPED: Chromium. Install it or set CHROMIUM to its path.");

/** What would call out or ask. */
const QUIET = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-sync",
  "--disable-background-networking",
  "--disable-component-update",
];
/** For a GPU in software where there is no other, and WebNN where the browser has it. */
export const DEVICE_FLAGS = [
  ...QUIET,
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=WebMachineLearningNeuralNetwork",
];

/**
 * Starts it without what would call out or need a screen.
 *
 * @param more arguments of its own for a test
 */
export function launchChromium(more: readonly string[] = []): Promise<Browser> {
  return driver.launch({
    executablePath: CHROMIUM!,
    args: [...QUIET, "--disable-gpu", ...more],
  });
}

export const chromium: Engine = {
  name: "Chromium",
  there: CHROMIUM !== undefined,
  launch: async () => engineBrowser(await launchChromium()),
};
