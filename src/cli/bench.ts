import { adapter } from "#adapter";
import { startThread } from "#threads";
import type { BenchReport, BenchThread } from "../../bench/own.mjs";
import { InvalidArgumentError, messageOf } from "../core/errors.ts";
import { settleable } from "../core/settleable.ts";
import { benchSpeech } from "./bench-speech.ts";

/** Something is missing from the figures: as `npm run bench` has it. */
const EXIT_INCOMPLETE = 3;

export interface BenchFlags {
  quick?: boolean;
  only?: string;
  json?: string;
  compare?: string;
}

/** `wavepool bench`: the package's suites in this runtime, without peers; a table on stdout. */
export async function benchCommand(flags: BenchFlags): Promise<void> {
  const { comparison, measureOwn, OWN_SUITES } = await import("../../bench/own.mjs");
  const suites = flags.only === undefined ? OWN_SUITES : chosen(flags.only, OWN_SUITES);
  const older = flags.compare === undefined ? undefined : await readReport(flags.compare);
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const report = await measureOwn(await import("../index.ts"), {
    suites,
    effort: flags.quick ? "quick" : "full",
    runtime: adapter.runtime,
    cores: adapter.cores,
    startThread: startBenchThread,
    speech: benchSpeech,
    print,
  });
  if (flags.json !== undefined) {
    await adapter.writeFile(flags.json, new TextEncoder().encode(`${JSON.stringify(report)}\n`));
  }
  if (older) for (const line of comparison(older, report)) print(line);
  if (report.problems.length > 0) process.exitCode = EXIT_INCOMPLETE;
}

async function startBenchThread(data: unknown): Promise<BenchThread> {
  let answer = settleable<unknown>();
  const thread = startThread("bench-thread", data, {
    message: (message) => answer.resolve(message),
    lost: (reason) => answer.reject(new Error(reason)),
  });
  await answer.promise;
  return {
    ask(request) {
      answer = settleable();
      thread.post(request);
      return answer.promise;
    },
    end: () => thread.terminate(true),
  };
}

function chosen(text: string, all: readonly string[]): string[] {
  const names = text.split(",").filter(Boolean);
  const wrong = names.find((name) => !all.includes(name));
  if (wrong !== undefined || names.length === 0) {
    throw new InvalidArgumentError(`--only is "${text}"; give one or more of ${all.join(",")}`);
  }
  return names;
}

/** @throws InvalidArgumentError for a file that no bench wrote. */
async function readReport(path: string): Promise<BenchReport> {
  const text = new TextDecoder().decode(await adapter.readFile(path));
  try {
    const report = JSON.parse(text) as BenchReport;
    if (report.format !== 1) throw new Error("its format is not 1");
    return report;
  } catch (error) {
    throw new InvalidArgumentError(
      `--compare ${path} is no report of a bench (${messageOf(error)}); give a file that --json wrote`,
    );
  }
}
