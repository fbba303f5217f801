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
  /** What is unlike in its result. */
  other?: string;
  median?: number;
  p10?: number;
  p90?: number;
  collections?: number | undefined;
  latencies?: { count: number; quantiles: number[] };
}
interface Result {
  runtime: string;
  suite: string;
  title: string;
  failed?: string;
  jobs: { name: string; size?: number; entries: Entry[] }[];
}
interface Report {
  runtimes: Record<string, { version?: string; missing?: string }>;
  results: Result[];
  problems: { runtime: string; message: string }[];
  rerun?: unknown;
}

const key = (...headings: string[]) => headings.join("\n");

/** Texts of charts, and names in tables, by the headings that they stand under and their runtime: a suite's, a job's, a runtime's. */
function partsOf(document: Document) {
  const charts = new Map<string, string[][]>();
  const rows = new Map<string, string[]>();
  let [suite, job, runtime] = ["", "", ""];
  const add = <T>(map: Map<string, T[]>, place: string, value: T) =>
    map.set(place, [...(map.get(place) ?? []), value]);
  for (const element of document.querySelectorAll("h2, h3, h4, .chart, details tr")) {
    const text = element.textContent!;
    if (element.tagName === "H2") suite = text;
    else if (element.tagName === "H3") job = text;
    else if (element.tagName === "H4") runtime = text;
    else if (element.tagName === "TR")
      add(rows, key(suite, job, element.children[0]!.textContent!), element.children[1]!.textContent!);
    else {
      const texts = [...element.querySelectorAll("text")].map(({ textContent }) => textContent!);
      add(charts, key(suite, job, runtime), texts);
    }
  }
  return { charts, rows };
}

describe.skipIf(!there)("a report's page", async () => {
  if (!there) return;
  const { parseHTML }: { parseHTML: (html: string) => { document: Document } } = await import(LINKEDOM.href);
  const report: Report = JSON.parse(
    await readFile(new URL("../../bench/report/results.json", import.meta.url), "utf8"),
  );
  const { reportPage } = await import("../../bench/report/page.mjs");
  const html = reportPage(report);

  /** A report of one suite in Node: charts take their time. */
  function inNode(suite: string): Report {
    const results = report.results.filter((result) => result.runtime === "node" && result.suite === suite);
    const { node } = report.runtimes;
    const { rerun, ...rest } = report;
    return structuredClone({ ...rest, runtimes: { node: node! }, results });
  }

  it("loads nothing", () => {
    expect(html.match(/(?:src|href)\s*=|@import|url\(/g)).toBeNull();
  });

  it("draws and lists every contender in every runtime", () => {
    const { charts, rows } = partsOf(parseHTML(html).document);
    for (const { runtime, title, jobs } of report.results) {
      for (const { name, entries } of jobs) {
        const [chart] = charts.get(key(title, name, runtime)) ?? [];
        const listed = rows.get(key(title, name, runtime)) ?? [];
        for (const entry of entries) {
          expect(chart, `${runtime}, ${title}, ${name}`).toContain(entry.name);
          expect(listed, `${runtime}, ${title}, ${name}`).toContain(`${entry.name}${entry.other ?? ""}`);
        }
      }
    }
  });

  it("draws how times grow with the work in every runtime", () => {
    const { charts } = partsOf(parseHTML(html).document);
    for (const [suite, group, contender, axis] of [
      ["mel", "whisper-80", "meyda", "seconds"],
      ["fft", "by size", "kissfft-wasm", "points"],
      ["inference", "encoder", "wavepool, onnxruntime-web Wasm", "seconds"],
    ] as const) {
      for (const { runtime, title, failed } of report.results.filter((result) => result.suite === suite)) {
        if (failed !== undefined) continue;
        const [chart] = charts.get(key(title, group, runtime)) ?? [];
        expect(chart, `${runtime}, ${title}, ${group}`).toContain(contender);
        expect(chart, `${runtime}, ${title}, ${group}`).toContain(`${axis} →`);
      }
    }
  });

  it("says of how many calls a histogram is, and draws none of few", () => {
    const changed = inNode("mel");
    const [job] = changed.results[0]!.jobs;
    const quantiles = Array.from({ length: 41 }, (_, i) => 1 + i / 10);
    job!.entries = [20, 19, 1234].map((count) => ({
      ...job!.entries[0]!,
      name: `contender ${count}`,
      latencies: { count, quantiles },
    }));
    const { charts } = partsOf(parseHTML(reportPage(changed)).document);
    const [, chart, ...more] = [
      ...charts.get(key(changed.results[0]!.title, job!.name, "node"))!,
      ...charts.get(key(changed.results[0]!.title, job!.name, "Single calls, node"))!,
    ];
    expect(more).toEqual([]);
    expect(chart).toEqual(
      expect.arrayContaining(["contender 20", "20 calls", "contender 1234", "1234 calls"]),
    );
    expect(chart).not.toContain("contender 19");
    expect(reportPage(changed)).toContain("<p>Too few calls to draw: contender 19 (19 calls)</p>");
  });

  it("tells garbage collections of an item, however rare", () => {
    const changed = inNode("ring");
    const { title, jobs } = changed.results[0]!;
    const rates = [8.1, 0.000003, 0, undefined];
    jobs[0]!.entries = rates.map((collections) => ({
      name: `contender ${collections}`,
      kind: "peer",
      median: 1,
      p10: 1,
      p90: 1,
      collections,
    }));
    const { document } = parseHTML(reportPage(changed));
    const cells = rates.map((rate) => {
      const rows = [...document.querySelectorAll("details tr")];
      const row = rows.find(({ children }) => children[1]?.textContent === `contender ${rate}`);
      return row?.children[4]?.textContent;
    });
    expect(cells, title).toEqual(["8.10", "1 in 330,000", "", ""]);
  });

  it("tells what a later run says", () => {
    const later = { date: "2030-01-01T00:00:00Z", commit: "abc1234", minutesLater: 50 };
    const place = { suite: "ring", job: "<job>", contender: "wavepool" };
    const node = {
      drift: 1.02,
      noise: Math.log(1.07),
      others: 40,
      counts: { "within noise": 7, faster: 0, slower: 1 },
      outside: [{ ...place, ratio: 1.3, verdict: "slower" }],
    };
    const changed = { ...inNode("ring"), rerun: { ...later, runtimes: { node } } };
    const { document } = parseHTML(reportPage(changed));
    const text = [...document.querySelectorAll("li")].map(({ textContent }) => textContent).join("\n");
    expect(text).toContain(
      `${report.runtimes.node!.version}: drift 1.02 × the time, noise ±7.00 %; 7 of wavepool's 8 figures within it; outside: ring, <job>, wavepool (slower, 1.30 × the time)`,
    );
    expect(reportPage(inNode("ring"))).not.toContain("Run again");
  });

  it("names what is missing or failed, and shows no markup of a message", () => {
    const changed = inNode("mel");
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
    const changed = inNode("ring");
    const ring = changed.results[0]!;
    for (const entry of ring.jobs[0]!.entries) entry.median = entry.kind === "peer" ? 7 : 28;
    const { document } = parseHTML(reportPage(changed));
    const row = [...document.querySelectorAll("tr")].find(({ textContent }) =>
      textContent!.includes("ringbuf"),
    );
    expect(row?.querySelector("td.number")?.textContent).toBe("0.250 ×");
    expect(row?.querySelector("td.number")?.className).toContain("peer");
  });
});
