import { adapter } from "#adapter";
import { startThread } from "#threads";
import { machineState } from "../../bench/harness/machine.mjs";
import type { BenchReport, BenchThread } from "../../bench/own.mjs";
import { InvalidArgumentError, messageOf } from "../core/errors.ts";
import { settleable } from "../core/settleable.ts";
import { benchSpeech } from "./bench-speech.ts";
import { assertWritable, writeWholeFile } from "./output-file.ts";
import { VERSION } from "./version.generated.ts";

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
  const bench = await import("../../bench/own.mjs");
  const { OWN_SUITES } = bench;
  const suites =
    flags.only === undefined ? OWN_SUITES : asked(() => bench.chosen("--only", flags.only!, OWN_SUITES));
  const older = flags.compare === undefined ? undefined : await readReport(flags.compare, bench.parseReport);
  // A file that cannot be written is found before a minute of measuring, and keeps what it has until that is over.
  if (flags.json !== undefined) await assertWritable(flags.json);
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const report = await bench.measureOwn(await import("../index.ts"), {
    suites,
    effort: flags.quick ? "quick" : "full",
    runtime: adapter.runtime,
    version: `wavepool ${VERSION}`,
    machine: machineState(),
    startThread: startBenchThread,
    speech: benchSpeech,
    print,
  });
  if (flags.json !== undefined) await writeWholeFile(flags.json, `${JSON.stringify(report)}\n`);
  if (older) for (const line of bench.comparison(older, report)) print(line);
  if (report.problems.length > 0) process.exitCode = EXIT_INCOMPLETE;
}

/** @throws InvalidArgumentError for what else would be an error of the program. */
function asked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

/** @throws InvalidArgumentError for a file that no bench wrote. */
async function readReport(path: string, parse: (text: string) => BenchReport): Promise<BenchReport> {
  const text = new TextDecoder().decode(await adapter.readFile(path));
  return asked(() => {
    try {
      return parse(text);
    } catch (error) {
      throw new Error(`--compare ${path}: ${messageOf(error)}`);
    }
  });
}

/**
 * Starts a thread that contends with its like for one pool.
 *
 * @param data see Contention in bench/suites/contend.mjs
 * @returns the thread, once it is ready; what it is asked rejects with an Error when it dies, and from then on.
 */
export async function startBenchThread(data: unknown): Promise<BenchThread> {
  let answer = settleable<unknown>();
  let death: Error | undefined;
  const thread = startThread("bench-thread", data, {
    message: (message) => answer.resolve(message),
    lost: (reason) => {
      death = new Error(reason);
      answer.reject(death);
    },
  });
  await answer.promise;
  return {
    ask(request) {
      answer = settleable();
      if (death) answer.reject(death);
      else thread.post(request);
      return answer.promise;
    },
    end: () => thread.terminate(true),
  };
}
