/**
 * Writes bench/report/index.html and the README's table from bench/report/results.json:
 *
 *     npm run bench -- --json bench/report/results.json
 *     npm run bench:report
 *
 * or the page alone, of results.json or of another report, to index.html or FILE:
 *
 *     npm run bench:report -- other.json
 *     npm run bench:report -- [other.json] --out FILE
 *
 * or has results.json keep what a later run says of it, and then writes page and README:
 *
 *     npm run bench -- --json again.json
 *     npm run bench:report -- --rerun again.json
 *
 * The README is of results.json only: its figures are to be found there. Nothing is written where something is wrong, which a line
 * tells; the exit code is 2 then.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parseReport } from "../harness/request.mjs";
import { withTable } from "./readme-table.mjs";
import { rerunOf } from "./rerun.mjs";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const README = path("../../README.md");
const RESULTS = path("results.json");
const EXIT_USER_MISTAKE = 2;

const { values, positionals } = told("", () =>
  parseArgs({ allowPositionals: true, options: { out: { type: "string" }, rerun: { type: "string" } } }),
);
if (positionals.length > 1) mistake(`it takes one report, not ${positionals.length}`);
if (values.rerun !== undefined && (positionals.length > 0 || values.out !== undefined))
  mistake("--rerun is held against bench/report/results.json; give neither another report nor --out with it");
const file = resolve(positionals[0] ?? RESULTS);
const report = told(file, () => parseReport(readFileSync(file, "utf8")));
const output = [];
if (values.rerun !== undefined) {
  report.rerun = told(values.rerun, () => rerunOf(report, parseReport(readFileSync(values.rerun, "utf8"))));
  output.push([RESULTS, `${JSON.stringify(report)}\n`]);
}
if (file === RESULTS && values.out === undefined)
  output.push([README, told(file, () => withTable(readFileSync(README, "utf8"), report))]);
// Last, for it takes longest to load.
const reportPage = await pageMaker();
output.unshift([values.out ?? path("index.html"), reportPage(report)]);
for (const [target, text] of output) told(target, () => writeFileSync(target, text));

/** Its charts are drawn by a library that is a dependency like the peers'. */
async function pageMaker() {
  try {
    return (await import("./page.mjs")).reportPage;
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    return mistake("the library of the charts is not installed: npm run peers");
  }
}

/** What `act` gives; a mistake where it throws, told with what it is about. */
function told(about, act) {
  try {
    return act();
  } catch (error) {
    const [line] = String(error.message).split("\n");
    return mistake(about === "" ? line : `${about}: ${line}`);
  }
}

function mistake(message) {
  console.error(`bench:report: ${message}`);
  process.exit(EXIT_USER_MISTAKE);
}
