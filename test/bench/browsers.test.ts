import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { closed, launched, suiteInPage } from "../../bench/harness/browsers.mjs";
import { ENGINES } from "../reference/engines.ts";

/** Answers "die" with the browser's death, in the middle of a suite. */
const PAGE = `<script>globalThis.wavepoolBench = { runSuite: () => fetch("die").then(() => new Promise(() => {})) }</script>`;

/** Programs that this process has started, and theirs. */
function descendants(parent: number): { pid: number; name: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [, name, , of] = /^\d+ \((.*)\) (\S) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))!;
        return Number(of) === parent ? [{ pid: Number(pid), name: name! }, ...descendants(Number(pid))] : [];
      } catch {
        return []; // it has ended by now
      }
    });
}

/** Not the driver, which has to tell of it. */
function killBrowser(): void {
  for (const { pid, name } of descendants(process.pid)) {
    if (/chrom|firefox|MiniBrowser/.test(name)) process.kill(pid, "SIGKILL");
  }
}

for (const engine of ENGINES) {
  it.skipIf(!engine.there || process.platform !== "linux")(
    `a suite whose ${engine.name} dies fails, and both close without another error`,
    async () => {
      const site = createServer(({ url }, response) => {
        if (url === "/die") return killBrowser();
        response.setHeader("content-type", "text/html");
        response.end(PAGE);
      });
      await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
      const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
      const browser = await launched(engine);
      try {
        const suite = suiteInPage(browser, url, "ring", "quick");
        await expect(suite).rejects.toThrow(/closed|the driver says no more/);
      } finally {
        await closed(browser);
        site.closeAllConnections();
        site.close();
      }
      await expect.poll(() => descendants(process.pid), { timeout: 20_000 }).toEqual([]);
    },
    60_000,
  );
}
