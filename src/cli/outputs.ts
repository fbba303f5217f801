import { join } from "node:path";
import { adapter } from "#adapter";
import { InvalidArgumentError } from "../core/errors.ts";
import type { FormatOptions, TranscriptionSummary } from "../output/format-writer.ts";
import { createFormatWriter, OUTPUT_FORMATS, type OutputFormat } from "../output/formats.ts";
import type { Segment } from "../transcription/transcription.ts";
import { writeWholeFile } from "./output-file.ts";
import { ENDINGS, formatOfEnding, outputNames } from "./output-names.ts";
import { STDIN } from "./read-sound.ts";
import { oneLine } from "./report-error.ts";
import type { TranscribeFlags } from "./transcribe-flags.ts";

/** One thing to write for one sound: to a file, or to stdout when it has no path. */
export interface OutputTarget {
  format: OutputFormat;
  path?: string;
  /** Stands before each line on stdout where there are several sounds. */
  prefix?: string;
}

/**
 * What is written for each sound file, and where.
 *
 * @throws InvalidArgumentError for flags that do not go together, or outputs that would overwrite a sound or
 * each other.
 */
export async function planOutputs(
  files: readonly string[],
  flags: TranscribeFlags,
): Promise<OutputTarget[][]> {
  const { output, outputDir } = flags;
  if (files.filter((file) => file === STDIN).length > 1) {
    throw new InvalidArgumentError("- is given twice, but stdin can be read once; leave one out");
  }
  if (output !== undefined && outputDir !== undefined) {
    throw new InvalidArgumentError("--output names one file and --output-dir a folder; give one of them");
  }
  const asked = flags.format ?? (output === undefined ? undefined : formatOfEnding(output)) ?? "text";
  const formats = asked === "all" ? OUTPUT_FORMATS : [asked];
  if (outputDir === undefined && asked === "all") {
    throw new InvalidArgumentError("--format all writes several files; add --output-dir");
  }
  if (outputDir === undefined && files.length > 1 && (output !== undefined || asked !== "text")) {
    const what = output === undefined ? `--format ${asked}` : "--output";
    throw new InvalidArgumentError(`${what} is for one sound, here are ${files.length}; give --output-dir`);
  }
  const names = outputDir === undefined ? [] : outputNames(files);
  const plan = files.map((file, i) =>
    formats.map((format): OutputTarget => {
      if (outputDir !== undefined) return { format, path: join(outputDir, names[i]! + ENDINGS[format]) };
      if (output !== undefined && output !== STDIN) return { format, path: output };
      return files.length > 1 ? { format, prefix: `${file === STDIN ? "stdin" : file}: ` } : { format };
    }),
  );
  await assertApart(files, plan.flat());
  return plan;
}

async function assertApart(files: readonly string[], targets: readonly OutputTarget[]): Promise<void> {
  const seen = new Set<string>();
  for (const { path } of targets) {
    if (path === undefined) continue;
    if (seen.has(path.toLowerCase())) {
      throw new InvalidArgumentError(`two outputs would be called ${path}; transcribe the files one by one`);
    }
    seen.add(path.toLowerCase());
    for (const file of files) {
      if (file === STDIN || !(await adapter.sameFile(file, path))) continue;
      throw new InvalidArgumentError(`the output ${path} is the sound file itself; write to another place`);
    }
  }
}

/** Writes one sound's outputs as its segments arrive. */
export interface Outputs {
  segment(segment: Segment): void;
  /** Writes the segments that `segment` was not told of and the end; files get their names only now. */
  end(segments: readonly Segment[], summary: TranscriptionSummary): Promise<void>;
}

/**
 * Opens the outputs of one sound. Nothing is written before its first segment, and no file before its end.
 *
 * @param beforeStdout called before each piece on stdout, to wipe a progress bar from the terminal
 */
export function openOutputs(
  targets: readonly OutputTarget[],
  options: FormatOptions,
  beforeStdout: () => void,
): Outputs {
  let told = 0;
  let begun = false;
  const writers = targets.map((target) => ({
    target,
    writer: createFormatWriter(target.format, options),
    text: [] as string[],
  }));
  const put = (target: OutputTarget, text: string[], piece: string) => {
    if (target.path !== undefined) {
      text.push(piece);
    } else if (piece !== "") {
      beforeStdout();
      process.stdout.write(target.prefix === undefined ? piece : prefixed(piece, oneLine(target.prefix)));
    }
  };
  const begin = () => {
    if (!begun) for (const { target, writer, text } of writers) put(target, text, writer.begin());
    begun = true;
  };
  const segment = (one: Segment) => {
    begin();
    told++;
    for (const { target, writer, text } of writers) put(target, text, writer.segment(one));
  };
  return {
    segment,
    async end(segments, summary) {
      begin();
      for (const one of segments.slice(told)) segment(one);
      for (const { target, writer, text } of writers) {
        put(target, text, writer.end(summary));
        if (target.path !== undefined) await writeWholeFile(target.path, text.join(""));
      }
    },
  };
}

function prefixed(piece: string, prefix: string): string {
  return piece.replace(/^.*\n/gm, (line) => prefix + line);
}
