/** Chromium, Firefox and WebKit by the drivers that the tests have. */
import { pathToFileURL } from "node:url";
import { bundleForNode, ENGINES } from "./bundled.mjs";

let found;
/** @returns the engine of a name such as "firefox", or undefined where its program is not here */
export async function engineOf(name) {
  found ??= import(pathToFileURL(await bundleForNode(ENGINES)).href);
  const engine = (await found).ENGINES.find((each) => each.name.toLowerCase() === name);
  return engine?.there ? engine : undefined;
}

/** Runs a suite in a page of its own; as child.mjs, { version, core, result }. @throws Error when the suite fails */
export async function suiteInPage(browser, url, suite, effort) {
  const page = await browser.newPage();
  try {
    await page.goto(`${url}suite.html`);
    // As text: not every driver keeps undefined apart from null.
    const answer = await page.evaluate(
      async ({ suite, effort }) => {
        const agent = navigator.userAgent;
        const [, name, number] = /(Firefox|Chrome|Version)\/([\d.]+)/.exec(agent) ?? [];
        const version = name === "Version" ? `WebKit, version ${number}` : name ? `${name} ${number}` : agent;
        try {
          return JSON.stringify({ version, ...(await globalThis.wavepoolBench.runSuite(suite, effort)) });
        } catch (error) {
          return JSON.stringify({ failed: String(error?.message ?? error) });
        }
      },
      { suite, effort },
    );
    const { failed, ...result } = JSON.parse(answer);
    if (failed !== undefined) throw new Error(failed);
    return result;
  } finally {
    await page.close();
  }
}
