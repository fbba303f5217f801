/** Runs test files in a page, by vitest's own runner. The files come in by bundle.ts. */

import { FILES } from "in-page:files";
import { startTests, type Task, type VitestRunner } from "@vitest/runner";
import { failOnLeaks } from "../../src/testing/vitest.ts";

/** What came of some files. */
export interface InPageReport {
  passed: number;
  /** Full name and message of each. */
  failures: string[];
}

const config = {
  root: "/",
  name: "",
  setupFiles: [],
  passWithNoTests: false,
  allowOnly: false,
  sequence: { seed: 0, hooks: "stack", setupFiles: "list" },
  maxConcurrency: 1,
  testTimeout: 60_000,
  hookTimeout: 60_000,
  retry: 0,
  includeTaskLocation: false,
  chaiConfig: undefined,
  tags: [],
  tagsFilter: undefined,
  strictTags: false,
} as const;

function addUp(tasks: Task[], path: string, report: InPageReport): void {
  for (const task of tasks) {
    const name = `${path} > ${task.name}`;
    const { state, errors = [] } = task.result ?? {};
    if (task.type === "suite") addUp(task.tasks, name, report);
    else if (state === "pass") report.passed++;
    if (state === "fail") report.failures.push(...errors.map(({ message }) => `${name}: ${message}`));
  }
}

/** Runs the tests of some files, by their paths in the repository, whose names do not match `except`. */
async function runTests({ files, except }: { files: string[]; except: string }): Promise<InPageReport> {
  const testNamePattern = except === "" ? undefined : new RegExp(`^(?!.*(?:${except}))`);
  const runner: VitestRunner = {
    config: { ...config, testNamePattern } as never,
    async importFile(path) {
      failOnLeaks();
      await FILES[path]!();
    },
  };
  const results = await startTests(files, runner);
  const report: InPageReport = { passed: 0, failures: [] };
  addUp(results as unknown as Task[], "", report);
  return report;
}

export type RunTests = typeof runTests;
Object.assign(globalThis, { runTests });
