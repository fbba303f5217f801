import { adapter } from "#adapter";
import { decodeAudio } from "../audio/decode.ts";
import type { PcmAudio } from "../audio/pcm.ts";
import { WavepoolError } from "../core/errors.ts";

/**
 * Reads and decodes a sound file. Errors about its contents begin with its name, which only we know here.
 *
 * @throws FileError, AudioFormatError, NonFiniteSamplesError
 */
export async function readSound(file: string): Promise<PcmAudio> {
  const bytes = await adapter.readFile(file);
  try {
    return await decodeAudio(bytes);
  } catch (error) {
    if (!(error instanceof WavepoolError)) throw error;
    throw new WavepoolError(error.code, error.kind, `${file}: ${error.message}`, { cause: error });
  }
}
