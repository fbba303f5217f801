import { AudioFormatError } from "../core/errors.ts";
import type { ByteReader } from "./byte-reader.ts";
import { frameBytesOf, type PcmLayout } from "./pcm-layout.ts";
import type { PcmStream } from "./pcm-source.ts";
import { fourCc, NO_SAMPLES, readWavFormat } from "./wav.ts";

/**
 * Sizes that programs write into a WAV which they cannot go back to: none at all, ffmpeg's
 * (libavformat/wavenc.c) and SoX's (src/wav.c).
 */
const UNKNOWN_SIZES = [0, 0xffffffff, 0x7ffff000];
/** The longest "fmt " chunk that is looked at; what is behind is of no use here. */
const MAX_FORMAT = 40;
const AGAIN = "copy or record it again";

/**
 * Reads a WAV's header up to its samples: RIFF, or RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088) with sizes of
 * 64 bits. A data chunk of unknown size, as in WAVs out of a pipe, goes on to the end.
 *
 * @param reader stands at the file's first byte; afterwards at the first sample.
 * @throws AudioFormatError naming what is wrong with the header.
 */
export async function openWav(reader: ByteReader): Promise<PcmStream> {
  const magic = fourCc(await reader.peek(4), 0);
  if (magic === "RIFX") {
    throw new AudioFormatError(
      `"RIFX" files are not supported; convert it to PCM first (ffmpeg -i in.wav -c:a pcm_s16le out.wav)`,
    );
  }
  const cutOff = (what: string) =>
    new AudioFormatError(`the WAV header is cut off after ${reader.position} bytes: ${what}; ${AGAIN}`);
  const type = fourCc(await reader.peek(12), 8);
  if ((await reader.skip(12)) < 12) throw cutOff("no chunks");
  if (type !== "WAVE")
    throw new AudioFormatError(`a RIFF file of type "${type}", not WAVE; give a sound file`);
  let layout: PcmLayout | undefined;
  let longSize: number | undefined;
  for (;;) {
    const head = (await reader.peek(8)).slice();
    if (head.length < 8) throw cutOff("no data chunk");
    const id = fourCc(head, 0);
    const size = new DataView(head.buffer).getUint32(4, true);
    await reader.skip(8);
    if (id === "data") {
      if (!layout) throw new AudioFormatError(`the WAV has no "fmt " chunk before its data; ${AGAIN}`);
      const long = magic !== "RIFF" && size === 0xffffffff ? longSize : undefined;
      return wavStream(layout, long ?? (UNKNOWN_SIZES.includes(size) ? undefined : size));
    }
    const body = await reader.peek(Math.min(size, MAX_FORMAT));
    const view = new DataView(body.buffer, body.byteOffset, body.length);
    if (body.length < Math.min(size, MAX_FORMAT)) throw cutOff(`chunk "${id}" claims ${size} bytes`);
    if (id === "fmt ") layout = readWavFormat(view, 0, size);
    // RIFF size, data size, sample count: three times 64 bits.
    if (id === "ds64" && size >= 16) longSize = Number(view.getBigUint64(8, true)) || undefined;
    if ((await reader.skip(size)) < size) throw cutOff(`chunk "${id}" claims ${size} bytes`);
    await reader.skip(size & 1);
  }
}

function wavStream(layout: PcmLayout, dataBytes: number | undefined): PcmStream {
  return {
    format: "WAV",
    layout,
    dataBytes,
    fault(there) {
      if (dataBytes !== undefined && there < dataBytes) {
        return new AudioFormatError(
          `the WAV is cut off: its data chunk claims ${dataBytes} bytes, ${there} are there; write it again to a file that can be rewound (ffmpeg -i in.wav out.wav)`,
        );
      }
      return there < frameBytesOf(layout) ? new AudioFormatError(NO_SAMPLES) : undefined;
    },
  };
}
