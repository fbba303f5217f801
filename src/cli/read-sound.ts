import { adapter } from "#adapter";
import { decodeAudio } from "../audio/decode.ts";
import type { PcmAudio } from "../audio/pcm.ts";
import { openSound, type RawPcm, type SoundSource } from "../audio/sound-source.ts";
import { createCore } from "../core/create-core.ts";
import { FileError, WavepoolError } from "../core/errors.ts";

/** The name that stands for stdin. */
export const STDIN = "-";
/** Room for a codec's blocks and a resampler's filter. */
const PROBE_BYTES = 16 * 1024 * 1024;

/** A file's name in messages. */
export function soundName(file: string): string {
  return file === STDIN ? "stdin" : file;
}

/**
 * Reads and decodes a whole sound file. Errors about its contents begin with its name, which only we know here.
 *
 * @throws FileError, AudioFormatError, NonFiniteSamplesError
 */
export async function readSound(file: string): Promise<PcmAudio> {
  const bytes = await adapter.readFile(file);
  return naming(file, () => decodeAudio(bytes));
}

/**
 * What a sound is read from, once its first bytes were looked at: a wrong file should not wait for a model to load.
 * Stdin can be read but once, and is not looked at.
 *
 * @throws FileError, AudioFormatError
 */
export async function soundSource(
  file: string,
  options: { raw: RawPcm | undefined; signal: AbortSignal },
): Promise<SoundSource> {
  const { raw, signal } = options;
  if (file === STDIN) {
    if (process.stdin.isTTY) {
      throw new FileError("stdin is the terminal; pipe a sound file into it, or give a file");
    }
    return process.stdin;
  }
  const core = await createCore({ memoryBytes: PROBE_BYTES, threads: false });
  const reader = await naming(file, () => openSound(core, file, { ...(raw && { raw }), signal }));
  await reader.close();
  return file;
}

/** Errors about a file's contents begin with its name. */
async function naming<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof WavepoolError) || error.message.includes(file)) throw error;
    throw new WavepoolError(error.code, error.kind, `${soundName(file)}: ${error.message}`, { cause: error });
  }
}
