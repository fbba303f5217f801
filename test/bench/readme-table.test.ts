import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { withTable } from "../../bench/report/readme-table.mjs";

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

it("is what the committed report generates: npm run bench:report", async () => {
  const readme = await read("README.md");
  const report = JSON.parse(await read("bench/report/results.json"));
  expect(readme).toBe(withTable(readme, report));
});

it("changes with a figure, and nothing around it does", async () => {
  const readme = await read("README.md");
  const report = JSON.parse(await read("bench/report/results.json"));
  const { jobs } = report.results.find(({ suite }: { suite: string }) => suite === "ring");
  jobs[0].entries[0].median = 123456;
  const changed = withTable(readme, report);
  expect(changed).toContain("| 123456 |");
  expect(changed.split("<!-- bench:end -->")[1]).toBe(readme.split("<!-- bench:end -->")[1]);
});

it("has a place in the README", () => {
  expect(() => withTable("# wavepool", {})).toThrow(/no <!-- bench:begin -->/);
});
