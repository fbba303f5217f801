import { addAbortSignal } from "node:stream";
import { adapter } from "#adapter";
import { decodeAudio } from "../audio/decode.ts";
import type { PcmAudio } from "../audio/pcm.ts";
import { FileError, WavepoolError } from "../core/errors.ts";
import { type RawSound, readRawSound } from "./raw-sound.ts";

/** The name that stands for stdin. */
export const STDIN = "-";

/** As much as a file may hold; a device such as /dev/zero has no end. */
const MAX_STDIN_BYTES = 2 ** 31;

/** How a file is read other than as a sound file from the disk. */
export interface ReadSoundOptions {
  /** The file holds bare samples. */
  raw?: RawSound | undefined;
  /** Stops waiting for stdin. */
  signal?: AbortSignal;
}

/** A file's name in messages. */
export function soundName(file: string): string {
  return file === STDIN ? "stdin" : file;
}

/**
 * Reads and decodes a sound file; "-" is stdin where `options` are given. Errors about its contents begin with
 * its name, which only we know here.
 *
 * @throws FileError, AudioFormatError, NonFiniteSamplesError
 */
export async function readSound(file: string, options?: ReadSoundOptions): Promise<PcmAudio> {
  const bytes = file === STDIN && options ? await readStdin(options.signal) : await adapter.readFile(file);
  try {
    return options?.raw ? readRawSound(bytes, options.raw) : await decodeAudio(bytes);
  } catch (error) {
    if (!(error instanceof WavepoolError)) throw error;
    throw new WavepoolError(error.code, error.kind, `${soundName(file)}: ${error.message}`, { cause: error });
  }
}

async function readStdin(signal: AbortSignal | undefined): Promise<Uint8Array> {
  const { stdin } = process;
  if (stdin.isTTY) throw new FileError("stdin is the terminal; pipe a sound file into it, or give a file");
  if (signal) addAbortSignal(signal, stdin);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_STDIN_BYTES) throw new FileError("stdin gave more than 2 GiB; cut the sound first");
  }
  return Buffer.concat(chunks);
}
