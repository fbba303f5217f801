/** Chromium, Firefox and WebKit by the drivers that the tests have. */
import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** The drivers are TypeScript, which Node 20 does not take; they are bundled beside the packages that they import. */
async function engines() {
  const outfile = path("../../node_modules/.cache/wavepool-bench/engines.mjs");
  mkdirSync(fileURLToPath(new URL(".", pathToFileURL(outfile))), { recursive: true });
  const entryPoints = [path("../../test/reference/engines.ts")];
  await build({ entryPoints, outfile, bundle: true, format: "esm", platform: "node", packages: "external" });
  const { ENGINES } = await import(pathToFileURL(outfile).href);
  rmSync(outfile);
  return ENGINES;
}

let found;
/** @returns the engine of a name such as "firefox", or undefined where its program is not here */
export async function engineOf(name) {
  found ??= await engines();
  const engine = found.find((each) => each.name.toLowerCase() === name);
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
