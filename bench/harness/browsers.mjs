/** Chromium, Firefox and WebKit by the drivers that the tests have. */
import { pathToFileURL } from "node:url";
import { bundleForNode } from "./bundled.mjs";

let found;
/** @returns the engine of a name such as "firefox", or undefined where its program is not here */
export async function engineOf(name) {
  found ??= import(pathToFileURL(await bundleForNode("test/reference/engines.ts", "engines")).href);
  const { ENGINES } = await found;
  const engine = ENGINES.find((each) => each.name.toLowerCase() === name);
  return engine?.there ? engine : undefined;
}

/** Runs a suite in a page of its own; as child.mjs, { version, core, result }. */
export async function suiteInPage(browser, url, suite, effort) {
  const page = await browser.newPage();
  try {
    await page.goto(url);
    // As text: not every driver keeps undefined apart from null.
    const answer = await page.evaluate(
      async ({ suite, effort }) => {
        const { core, result } = await globalThis.wavepoolBench.runSuite(suite, effort);
        const agent = navigator.userAgent;
        const [, name, number] = /(Firefox|Chrome|Version)\/([\d.]+)/.exec(agent) ?? [];
        const version = name === "Version" ? `WebKit, version ${number}` : name ? `${name} ${number}` : agent;
        return JSON.stringify({ version, core, result });
      },
      { suite, effort },
    );
    return JSON.parse(answer);
  } finally {
    await page.close();
  }
}
