import { stat } from "node:fs/promises";
import { UnknownLanguageError } from "../core/errors.ts";
import type { PoolStatistics } from "../pools/pool-statistics.ts";
import { createTranscriber, type Transcriber } from "../transcription/transcriber.ts";
import type { Transcription } from "../transcription/transcription.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { label } from "./models.ts";
import { assertWritable, prepareFolder } from "./output-file.ts";
import { type OutputTarget, openOutputs, planOutputs } from "./outputs.ts";
import { createFilesProgress } from "./progress.ts";
import { createProgressBar } from "./progress-bar.ts";
import { STDIN, soundName, soundSource } from "./read-sound.ts";
import { EXIT_FAILURE, EXIT_USER_MISTAKE, oneLine, printError } from "./report-error.ts";
import { statisticsText } from "./statistics.ts";
import {
  formatOptions,
  neededTimestamps,
  rawSound,
  type TranscribeFlags,
  transcribeRequest,
  transcriberRequest,
  warnings,
} from "./transcribe-flags.ts";

/**
 * `wavepool transcribe FILES…`: text on stdout or files of any format, everything else on stderr. A file that fails
 * has its line there and does not stop the others; the exit code is that of the worst.
 *
 * @throws InterruptedError on Ctrl-C, with no output left half-written.
 */
export async function transcribeCommand(files: string[], flags: TranscribeFlags): Promise<void> {
  const plan = await planOutputs(files, flags);
  const timestamps = neededTimestamps(
    flags,
    plan[0]!.map(({ format }) => format),
  );
  const raw = rawSound(flags);
  const format = formatOptions(flags, timestamps);
  const request = transcribeRequest(flags, timestamps);
  if (flags.outputDir !== undefined) await prepareFolder(flags.outputDir);
  for (const { path } of plan.flat()) if (path !== undefined) await assertWritable(path);
  for (const warning of warnings(flags)) process.stderr.write(`wavepool: ${warning}\n`);

  const bar = createProgressBar(process.stderr);
  const interrupt = listenForInterrupt();
  const { signal } = interrupt;
  const progress = createFilesProgress(bar, files.map(soundName), await sizesOf(files));
  let transcriber: Transcriber | undefined;
  const codes = new Set<number>();

  async function transcribeOne(file: string, targets: OutputTarget[]): Promise<void> {
    // The sound first: a wrong one should not wait for the model to load.
    const source = await interrupt.race(soundSource(file, { raw, signal }));
    transcriber ??= await interrupt
      .race(
        createTranscriber({
          ...transcriberRequest(flags),
          // Warming up takes as long as one file does.
          warm: files.length > 1,
          onLoading: () => progress.loading(),
          onDownload: (step) => bar.show(label(flags.model, step), step.bytes / step.totalBytes),
          signal,
        }),
      )
      .catch((error) => stopAll(error));
    const outputs = openOutputs(targets, format, () => bar.clear());
    const result = await transcriber.transcribe(source, {
      ...request,
      ...(raw && { raw }),
      signal,
      onProgress: (step) => progress.update(step),
      onSegment: (segment) => outputs.segment(segment),
    });
    bar.clear();
    if (result.truncated) warnTruncated(files.length > 1 ? soundName(file) : undefined);
    const pools = flags.stats ? transcriber.stats() : undefined;
    await outputs.end(result.segments, { ...result, extra: extraKeys(result, pools) });
    if (pools && !targets.some(({ format }) => format === "json")) {
      if (files.length > 1) process.stderr.write(`${oneLine(soundName(file))}\n`);
      process.stderr.write(statisticsText(result, pools));
    }
  }

  try {
    for (const [i, file] of files.entries()) {
      progress.begin(i);
      try {
        await transcribeOne(file, plan[i]!);
      } catch (error) {
        bar.clear();
        // Not this file's fault: the others would fail alike.
        if (error instanceof StopAll) throw error.cause;
        signal.throwIfAborted();
        if (error instanceof UnknownLanguageError) throw error;
        codes.add(printError(error, soundName(file)));
      }
      progress.end(i);
    }
  } finally {
    bar.clear();
    interrupt.stop();
    await transcriber?.dispose();
  }
  if (codes.has(EXIT_FAILURE)) process.exitCode = EXIT_FAILURE;
  else if (codes.has(EXIT_USER_MISTAKE)) process.exitCode = EXIT_USER_MISTAKE;
}

/** Wraps an error that concerns all files, so that it is told from one of a single file. */
class StopAll extends Error {}

function stopAll(cause: unknown): never {
  throw new StopAll("all files", { cause });
}

function sizesOf(files: readonly string[]): Promise<(number | undefined)[]> {
  return Promise.all(
    files.map(async (file) => {
      if (file === STDIN) return undefined;
      // A file that is not there has its error when its turn comes.
      return stat(file).then(
        ({ size }) => size,
        () => 0,
      );
    }),
  );
}

function warnTruncated(file: string | undefined): void {
  const name = file === undefined ? "" : `${oneLine(file)}: `;
  process.stderr.write(
    `wavepool: ${name}the decoder ran into its length limit; the text may be cut or repeat itself\n`,
  );
}

/** What JSON says beside the keys of openai/whisper. */
function extraKeys(result: Transcription, pools: PoolStatistics[] | undefined): Record<string, unknown> {
  const { segments: _segments, text: _text, language: _language, times, ...rest } = result;
  return pools ? { ...rest, times, pools } : rest;
}
