#!/usr/bin/env node
import { Command, CommanderError, Option } from "commander";
import { PRESETS } from "../features/presets.ts";
import { DEFAULT_MODEL } from "../models/model-files.ts";
import { benchCommand } from "./bench.ts";
import { doctorCommand } from "./doctor.ts";
import { InterruptedError } from "./interrupt.ts";
import { melCommand } from "./mel.ts";
import { registerModels } from "./models.ts";
import { debug, EXIT_FAILURE, EXIT_USER_MISTAKE, oneLine, printError } from "./report-error.ts";
import { serveCommand } from "./serve.ts";
import { addServeCommand } from "./serve-flags.ts";
import { transcribeCommand } from "./transcribe.ts";
import { addTranscribeCommand } from "./transcribe-flags.ts";
import { VERSION } from "./version.generated.ts";

const program = new Command("wavepool")
  .description("Speech to text on pooled buffers: log-mel in Wasm SIMD, Whisper on onnxruntime-web")
  .version(VERSION)
  .option("--debug", "print stack traces")
  .exitOverride()
  .configureOutput({ outputError: () => undefined });

addTranscribeCommand(program, transcribeCommand);

program
  .command("mel")
  .description("write the log-mel spectrogram of a sound file as raw little-endian float32 [mels × frames]")
  .argument("<file>", "WAV, FLAC, MP3, Ogg, Opus, M4A, WebM or AIFF of up to 30 s")
  .addOption(
    new Option("--preset <name>", "front end to compute").choices(Object.keys(PRESETS)).makeOptionMandatory(),
  )
  .option("--pad", "pad with silence to 30 s (3000 frames); without it the frames follow the clip")
  .requiredOption("--out <file>", "file to write, such as speech.f32")
  .action(melCommand);

program
  .command("doctor")
  .description("show what this runtime offers and which model and provider would be used")
  .option("--model <name|dir>", "model to look for", DEFAULT_MODEL)
  .action(doctorCommand);

program
  .command("bench")
  .description("measure pools, features, FFT, streaming, resampling, rings and transcription in this runtime")
  .option("--quick", "some seconds, fewer sizes")
  .option("--only <suites>", "some of pools,mel,fft,stream,resample,ring,transcription")
  .option("--json <file>", "write all figures to a file")
  .option("--compare <file>", "tell what changed since a report that --json wrote, beyond the noise of both")
  .action(benchCommand);

registerModels(program);

addServeCommand(program, serveCommand);

for (const command of program.commands) command.option("--debug", "print stack traces");

/** One clear line; the stack only on request. */
function reportError(error: unknown): number {
  if (error instanceof CommanderError) {
    // Help and version are thrown too, as successes; their text is out already.
    if (error.exitCode === 0) return 0;
    const message = error.message
      .replace(/^error: /, "")
      .replace(/\.?\n/g, "; ")
      .replace(/\.$/, "");
    if (error.code !== "commander.help")
      process.stderr.write(`wavepool: ${oneLine(message)}; see wavepool --help\n`);
    return EXIT_USER_MISTAKE;
  }
  return printError(error);
}

if (!debug) {
  // Codecs report damage on the console as well as in their results; the user gets one line from us.
  console.error = console.warn = console.log = console.info = () => undefined;
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // A reader that has had enough, such as head, is no failure.
    if (error.code === "EPIPE") process.exit(0);
    if (stream === process.stdout)
      process.stderr.write(`wavepool: cannot write to stdout: ${error.message}\n`);
    process.exit(EXIT_FAILURE);
  });
}

try {
  await program.parseAsync();
} catch (error) {
  const code = reportError(error);
  // What was interrupted, such as a model that loads, may still hold the process.
  if (error instanceof InterruptedError) process.exit(error.exitCode);
  process.exitCode = code;
}
