import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";

/** The document in which the charts are drawn reads the page as well. */
const LINKEDOM = new URL("../../bench/node_modules/linkedom/esm/index.js", import.meta.url);
const there = existsSync(LINKEDOM);
if (!there) console.warn("SKIPPED: the library of the charts is not installed: npm run peers");

interface Entry {
  name: string;
  kind: string;
  failed?: string;
  median?: number;
}
interface Result {
  runtime: string;
  suite: string;
  jobs: { name: string; entries: Entry[] }[];
}
interface Report {
  runtimes: Record<string, { version?: string; missing?: string }>;
  results: Result[];
  problems: { runtime: string; message: string }[];
}

describe.skipIf(!there)("a report's page", async () => {
  if (!there) return;
  const { parseHTML }: { parseHTML: (html: string) => { document: Document } } = await import(LINKEDOM.href);
  const report: Report = JSON.parse(
    await readFile(new URL("../../bench/report/results.json", import.meta.url), "utf8"),
  );
  const { reportPage } = await import("../../bench/report/page.mjs");
  const html = reportPage(report);

  it("loads nothing", () => {
    expect(html.match(/(?:src|href)\s*=|@import|url\(/g)).toBeNull();
  });

  it("draws and lists every contender in every runtime", () => {
    const { document } = parseHTML(html);
    const drawn = [...document.querySelectorAll("svg")].map((svg) => svg.textContent).join("\n");
    const listed = [...document.querySelectorAll("details table")].map((table) => table.textContent).join();
    for (const { runtime, jobs } of report.results) {
      for (const { name } of jobs.flatMap(({ entries }) => entries)) {
        expect(drawn, runtime).toContain(name);
        expect(listed, runtime).toContain(name);
      }
    }
  });

  it("names what is missing or failed, and shows no markup of a message", () => {
    const changed = structuredClone(report);
    changed.runtimes.webkit = { missing: "not installed here" };
    const job = changed.results[0]!.jobs[0]!;
    job.entries[0] = { name: "one <b>that</b> fails", kind: "peer", failed: "off by <script>1</script>" };
    changed.problems = [{ runtime: "webkit", message: "not installed here" }];
    const page = reportPage(changed);
    expect(page).toContain("webkit: not installed here");
    expect(page).not.toMatch(/<script>|<b>that/);
    expect(parseHTML(page).document.documentElement.textContent).toContain(
      "failed: off by <script>1</script>",
    );
  });

  it("says by how much the fastest peer is slower, or faster", () => {
    const changed = structuredClone(report);
    const ring = changed.results.find(({ suite, runtime }) => suite === "ring" && runtime === "node")!;
    for (const entry of ring.jobs[0]!.entries) entry.median = entry.kind === "peer" ? 7 : 28;
    const { document } = parseHTML(reportPage(changed));
    const row = [...document.querySelectorAll("tr")].find(({ textContent }) =>
      textContent!.includes("ringbuf"),
    );
    expect(row?.querySelector("td.number")?.textContent).toBe("0.250 ×");
    expect(row?.querySelector("td.number")?.className).toContain("peer");
  });
});
