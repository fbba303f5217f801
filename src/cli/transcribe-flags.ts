import { type Command, Option } from "commander";
import { assertRate, MAX_CHANNELS } from "../audio/pcm.ts";
import type { RawPcm } from "../audio/sound-source.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { type DtypeChoice, MODEL_DTYPES } from "../models/model-dtype.ts";
import { DEFAULT_MODEL } from "../models/model-files.ts";
import type { FormatOptions } from "../output/format-writer.ts";
import { OUTPUT_FORMATS, type OutputFormat } from "../output/formats.ts";
import type { TranscribeOptions } from "../transcription/options.ts";
import type { TranscriberOptions } from "../transcription/transcriber.ts";
import type { Task } from "../transcription/transcription.ts";

/** Commander takes null for a value that is missing, so none stays a word until it goes to the transcriber. */
type Threshold = number | "none";

/** The flags of `wavepool transcribe` as commander gives them. */
export interface TranscribeFlags {
  model: string;
  language?: string;
  task?: Task;
  timestamps?: "none" | "segment" | "word";
  format?: OutputFormat | "all";
  output?: string;
  outputDir?: string;
  raw?: RawPcm["format"];
  rate?: number;
  channels?: number;
  beamSize?: number;
  bestOf?: number;
  temperature?: number | number[];
  prompt?: string;
  conditionOnPreviousText?: boolean;
  noSpeechThreshold?: Threshold;
  logprobThreshold?: Threshold;
  compressionRatioThreshold?: Threshold;
  maxLineWidth?: number;
  maxLineCount?: number;
  maxWordsPerLine?: number;
  highlightWords?: boolean;
  provider?: "webnn" | "webgpu" | "native" | "wasm" | "auto";
  threads?: number;
  dtype?: DtypeChoice;
  vad?: boolean;
  fullWindow?: boolean;
  offline?: boolean;
  stats?: boolean;
}

const WHOLE_NUMBER = /^\d{1,9}$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function integer(flag: string, least: number) {
  return (text: string): number => {
    if (WHOLE_NUMBER.test(text) && Number(text) >= least) return Number(text);
    throw new InvalidArgumentError(`${flag} is ${JSON.stringify(text)}; give an integer of ${least} or more`);
  };
}

function number(flag: string, text: string, remedy: string): number {
  if (NUMBER.test(text)) return Number(text);
  throw new InvalidArgumentError(`${flag} is ${JSON.stringify(text)}; ${remedy}`);
}

function threshold(flag: string) {
  return (text: string): Threshold => (text === "none" ? text : number(flag, text, "give a number, or none"));
}

function temperature(text: string): number | number[] {
  const list = text.split(",").map((part) => number("--temperature", part.trim(), REMEDY));
  if (list.some((value) => value < 0 || value > 1)) {
    throw new InvalidArgumentError(`--temperature is ${JSON.stringify(text)}; ${REMEDY}`);
  }
  return list.length === 1 ? list[0]! : list;
}
const REMEDY = "give a number from 0 to 1, or several to fall back to, such as 0,0.2,0.4";

/** Commander would take --no-speech-threshold for the opposite of --speech-threshold. */
function noSpeechThreshold(): Option {
  const option = new Option(
    "--no-speech-threshold <p>",
    "probability of no speech above which a window may be silence, or none",
  ).argParser(threshold("--no-speech-threshold"));
  option.negate = false;
  return option;
}

/** Adds `wavepool transcribe` to the program. */
export function addTranscribeCommand(
  program: Command,
  action: (files: string[], flags: TranscribeFlags) => Promise<void>,
): void {
  program
    .command("transcribe")
    .description("print the words spoken in sound files, or write them as text, subtitles or JSON")
    .argument("<file...>", "WAV, FLAC, MP3, Ogg, Opus, M4A, WebM or AIFF; - is stdin")
    .option("--model <name|dir>", "tiny, base, or a directory in Hugging Face's ONNX layout", DEFAULT_MODEL)
    .option("--language <code>", "language spoken, such as en or de; auto finds it out")
    .addOption(
      new Option("--task <task>", "write the words, or their English translation").choices([
        "transcribe",
        "translate",
      ]),
    )
    .addOption(
      new Option("--timestamps <which>", "times to find; word options need word").choices([
        "none",
        "segment",
        "word",
      ]),
    )
    .addOption(
      new Option("--format <format>", "what to write (default: text)").choices([...OUTPUT_FORMATS, "all"]),
    )
    .option("-o, --output <file>", "file to write, for one sound; its ending chooses the format")
    .option("--output-dir <dir>", "folder to write one file a sound and format into")
    .addOption(
      new Option("--raw <samples>", "the sound is bare samples, little-endian").choices(["f32", "s16"]),
    )
    .option("--rate <hz>", "samples a second of --raw", integer("--rate", 1))
    .option("--channels <n>", "interleaved channels of --raw (default: 1)", integer("--channels", 1))
    .option("--beam-size <n>", "beams of the search at temperature 0", integer("--beam-size", 1))
    .option("--best-of <n>", "samples to choose from at higher temperatures", integer("--best-of", 1))
    .option(
      "--temperature <t[,t…]>",
      "0 takes the likeliest words; further ones are fallen back to",
      temperature,
    )
    .option("--prompt <text>", "names and spellings to expect in the first window")
    .option("--condition-on-previous-text", "let each window know the text before it")
    .option("--no-condition-on-previous-text", "let each window stand alone")
    .addOption(noSpeechThreshold())
    .option(
      "--logprob-threshold <x>",
      "mean log probability below which a window is tried again, or none",
      threshold("--logprob-threshold"),
    )
    .option(
      "--compression-ratio-threshold <x>",
      "compression above which a window repeats itself and is tried again, or none",
      threshold("--compression-ratio-threshold"),
    )
    .option("--max-line-width <n>", "characters in a line of a subtitle", integer("--max-line-width", 1))
    .option(
      "--max-line-count <n>",
      "lines in a subtitle, with --max-line-width",
      integer("--max-line-count", 1),
    )
    .option("--max-words-per-line <n>", "words in a subtitle", integer("--max-words-per-line", 1))
    .option("--highlight-words", "underline each word of a subtitle as it is said")
    .addOption(
      new Option("--provider <name>", "what runs the model").choices([
        "webnn",
        "webgpu",
        "native",
        "wasm",
        "auto",
      ]),
    )
    .option("--threads <n>", "threads that run the model", integer("--threads", 1))
    .addOption(new Option("--dtype <type>", "type of the weights").choices(["auto", ...MODEL_DTYPES]))
    .option("--vad", "leave out what is no speech")
    .option("--full-window", "encode 30 s even of shorter sound")
    .option("--offline", "never download a model")
    .option("--stats", "add stage times and pool statistics (on stderr, or in the JSON)")
    .action(action);
}

/** Flags that lay out words, and so need their times. */
const WORD_FLAGS = {
  maxLineWidth: "--max-line-width",
  maxLineCount: "--max-line-count",
  maxWordsPerLine: "--max-words-per-line",
  highlightWords: "--highlight-words",
} as const;
/** Formats that are nothing without times. */
const TIMED: readonly OutputFormat[] = ["srt", "vtt", "tsv"];

/**
 * The times to ask for: words when a flag lays them out, segments when a format shows them, otherwise as the
 * transcriber likes.
 *
 * @throws InvalidArgumentError when `--timestamps` says otherwise.
 */
export function neededTimestamps(
  flags: TranscribeFlags,
  formats: readonly OutputFormat[],
): TranscribeFlags["timestamps"] {
  const { timestamps } = flags;
  const forWords = (Object.keys(WORD_FLAGS) as (keyof typeof WORD_FLAGS)[]).find((name) => flags[name]);
  if (forWords && timestamps !== undefined && timestamps !== "word") {
    throw new InvalidArgumentError(
      `${WORD_FLAGS[forWords]} needs the times of words; give --timestamps word, or leave --timestamps out`,
    );
  }
  if (forWords) return "word";
  const timed = formats.find((format) => TIMED.includes(format));
  if (timed && timestamps === "none") {
    throw new InvalidArgumentError(`--format ${timed} needs times; leave out --timestamps none`);
  }
  // Text alone shows no times, and is sooner there without them.
  return timestamps ?? (formats.every((format) => format === "text") ? "none" : "segment");
}

/** What the flags ask of the formats. */
export function formatOptions(
  flags: TranscribeFlags,
  timestamps: TranscribeFlags["timestamps"],
): FormatOptions {
  return {
    ...pick(flags, "maxLineWidth", "maxLineCount", "maxWordsPerLine", "highlightWords"),
    timestampGranularities: timestamps === "word" ? ["segment", "word"] : ["segment"],
  };
}

/** Combinations that do nothing, as openai/whisper `transcribe.py` (`cli`) warns of them. */
export function warnings({ maxLineCount, maxLineWidth, maxWordsPerLine }: TranscribeFlags): string[] {
  const list: string[] = [];
  if (maxLineCount && !maxLineWidth) list.push("--max-line-count has no effect without --max-line-width");
  if (maxWordsPerLine && maxLineWidth && maxLineCount) {
    list.push("--max-words-per-line has no effect with --max-line-width and --max-line-count");
  }
  return list;
}

/**
 * How raw samples are to be read, if they are.
 *
 * @throws InvalidArgumentError when the rate is missing or out of range, or there is a rate but no `--raw`.
 */
export function rawSound({ raw, rate, channels }: TranscribeFlags): RawPcm | undefined {
  if (raw === undefined) {
    if (rate === undefined && channels === undefined) return undefined;
    throw new InvalidArgumentError(
      `${rate === undefined ? "--channels" : "--rate"} is for bare samples; add --raw f32 or --raw s16`,
    );
  }
  if (rate === undefined) {
    throw new InvalidArgumentError("--raw does not say how fast to play; add --rate, such as --rate 16000");
  }
  assertRate(rate, "--rate");
  if (channels !== undefined && channels > MAX_CHANNELS) {
    throw new InvalidArgumentError(`--channels is ${channels}; give an integer from 1 to ${MAX_CHANNELS}`);
  }
  return { format: raw, sampleRate: rate, channels: channels ?? 1 };
}

/** What the flags ask of the transcriber. */
export function transcriberRequest(flags: TranscribeFlags): TranscriberOptions {
  return {
    ...pick(flags, "model", "language", "dtype", "offline", "threads"),
    ...(flags.provider && flags.provider !== "auto" && { providers: [flags.provider] }),
  };
}

/** What the flags ask of each transcription. */
export function transcribeRequest(
  flags: TranscribeFlags,
  timestamps: TranscribeFlags["timestamps"],
): TranscribeOptions {
  return {
    ...pick(
      flags,
      "language",
      "task",
      "beamSize",
      "bestOf",
      "temperature",
      "prompt",
      "conditionOnPreviousText",
    ),
    ...thresholds(flags),
    ...(timestamps && { timestamps }),
    ...(flags.vad && { voiceActivity: true }),
    ...(flags.fullWindow && { context: "full" as const }),
  };
}

function thresholds(flags: TranscribeFlags): TranscribeOptions {
  const given = pick(flags, "noSpeechThreshold", "logprobThreshold", "compressionRatioThreshold");
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, value === "none" ? null : value]),
  );
}

/** The named flags that were given. */
function pick<K extends keyof TranscribeFlags>(
  flags: TranscribeFlags,
  ...names: K[]
): Pick<TranscribeFlags, K> {
  return Object.fromEntries(
    names.filter((name) => flags[name] !== undefined).map((name) => [name, flags[name]]),
  ) as Pick<TranscribeFlags, K>;
}
