/**
 * Writes bench/report/index.html and the README's table from a report:
 *
 *     npm run bench -- --json bench/report/results.json
 *     npm run bench:report
 *     npm run bench:report -- other.json --out other.html     the page alone
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parseReport } from "../harness/request.mjs";
import { reportPage } from "./page.mjs";
import { withTable } from "./readme-table.mjs";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const README = path("../../README.md");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: "string" } },
});
const file = positionals[0] ?? path("results.json");
const report = read(file);
writeFileSync(values.out ?? path("index.html"), reportPage(report));
if (values.out === undefined) writeFileSync(README, withTable(readFileSync(README, "utf8"), report));

function read(file) {
  try {
    return parseReport(readFileSync(file, "utf8"));
  } catch (error) {
    console.error(`bench:report: ${file}: ${error.message}`);
    process.exit(2);
  }
}
