/** Chromium, Firefox and WebKit by the drivers that the tests have. */
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { bundleForNode, DRIVERS } from "./bundled.mjs";
import { besideResult } from "./pool-runs.mjs";
import { firstLine } from "./problems.mjs";

/** As long as processes of other runtimes have. */
const MAX_MS = 900_000;
/** Then what does not close is left to its driver, which ends it with this process. */
const CLOSE_MS = 20_000;

const drivers = async () => import(pathToFileURL(await bundleForNode(DRIVERS)).href);

let found;
/** @returns the engine of a name such as "firefox", or undefined where its program is not here */
export async function engineOf(name) {
  found ??= await drivers();
  const engine = found.ENGINES.find((each) => each.name.toLowerCase() === name);
  return engine?.there ? engine : undefined;
}

/** Starts a browser whose scripts may take as long as a suite. */
export const launched = (engine) => engine.launch(MAX_MS);

/** Closes a page or browser, be it dead: what it was there for is over, or has failed with a better reason. */
export async function closed(pageOrBrowser) {
  await within(CLOSE_MS, pageOrBrowser.close()).catch(() => undefined);
}

/**
 * Runs the suite of encoder and decoder in Chromium with WebGPU, and beside it, for WebNN and the same on Wasm, in a Chromium
 * whose WebNN has a backend, where that one is here.
 */
export async function devicesInChromium(url, effort) {
  found ??= await drivers();
  const run = async (executablePath, args, providers) => {
    const flags = [...found.DEVICE_FLAGS, ...args];
    const browser = found.engineBrowser(await chromium.launch({ executablePath, args: flags }));
    try {
      return await suiteInPage(browser, url, "inference", effort, providers);
    } finally {
      await closed(browser);
    }
  };
  const answer = await run(found.CHROMIUM, []);
  const webNn = await found.webNnChromium();
  if (webNn === undefined) return answer;
  const other = await run(webNn, ["--headless=old"], ["wasm", "webnn"]).catch((error) => ({
    failed: `the Chromium with WebNN: ${firstLine(error)}`,
  }));
  return { ...answer, result: besideResult(answer.result, other) };
}

/** @throws Error when a page has not answered by then; it is closed, and the next suite gets another */
function within(ms, answer) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer after ${ms / 1000} s`)), ms);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/**
 * Runs a suite in a page of its own.
 *
 * @param providers as runSuite of page.mjs takes them
 * @returns { version, core, result } @throws Error when the suite fails
 */
export async function suiteInPage(browser, url, suite, effort, providers) {
  const page = await browser.newPage();
  try {
    await page.goto(`${url}suite.html`);
    // As text: not every driver keeps undefined apart from null.
    const answer = await within(
      MAX_MS,
      page.evaluate(
        async ({ suite, effort, providers }) => {
          try {
            const { runSuite } = globalThis.wavepoolBench;
            return JSON.stringify(await runSuite(suite, effort, undefined, providers));
          } catch (error) {
            return JSON.stringify({ failed: String(error?.message ?? error) });
          }
        },
        { suite, effort, providers },
      ),
    );
    const { failed, ...result } = JSON.parse(answer);
    if (failed !== undefined) throw new Error(failed);
    return { ...result, version: browser.version ?? result.version };
  } finally {
    await closed(page);
  }
}
