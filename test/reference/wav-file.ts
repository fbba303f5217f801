/** Builds WAV files byte by byte, well-formed or not. */
export interface WavSpec {
  tag?: number;
  channels?: number;
  rate?: number;
  bits?: number;
  extensible?: boolean;
  /** Size written in the data chunk's header; the true one by default. */
  claimedBytes?: number;
  /** Chunks put before "fmt ". */
  before?: { id: string; bytes: Uint8Array }[];
}

/** A WAV of the given frames; `samples[i]` is frame i, the same in every channel, -1 to 1. */
export function wavFile(samples: ArrayLike<number>, spec: WavSpec = {}): Uint8Array<ArrayBuffer> {
  const { tag = 1, channels = 1, rate = 16000, bits = 16, extensible = false } = spec;
  const frameBytes = (channels * bits) / 8;
  const data = new DataView(new ArrayBuffer(Math.ceil(samples.length * frameBytes)));
  for (let i = 0; i < samples.length; i++) {
    for (let c = 0; c < channels; c++)
      writeSample(data, i * frameBytes + (c * bits) / 8, samples[i]!, tag, bits);
  }
  const format = new DataView(new ArrayBuffer(extensible ? 40 : 16));
  format.setUint16(0, extensible ? 0xfffe : tag, true);
  format.setUint16(2, channels, true);
  format.setUint32(4, rate, true);
  format.setUint32(8, rate * frameBytes, true);
  format.setUint16(12, frameBytes, true);
  format.setUint16(14, bits, true);
  if (extensible) {
    format.setUint16(16, 22, true);
    format.setUint16(18, bits, true);
    format.setUint16(24, tag, true);
    for (const [i, byte] of [0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, 113].entries())
      format.setUint8(26 + i, byte);
  }
  const chunks = [
    ...(spec.before ?? []),
    { id: "fmt ", bytes: new Uint8Array(format.buffer) },
    { id: "data", bytes: new Uint8Array(data.buffer), claimed: spec.claimedBytes },
  ];
  const body = chunks.flatMap((chunk) => chunkBytes(chunk));
  return Uint8Array.from([...ascii("RIFF"), ...u32(body.length + 4), ...ascii("WAVE"), ...body]);
}

function chunkBytes({
  id,
  bytes,
  claimed,
}: {
  id: string;
  bytes: Uint8Array;
  claimed?: number | undefined;
}): number[] {
  return [...ascii(id), ...u32(claimed ?? bytes.length), ...bytes, ...(bytes.length % 2 ? [0] : [])];
}

function writeSample(view: DataView, at: number, value: number, tag: number, bits: number): void {
  if (tag === 3) {
    if (bits === 32) view.setFloat32(at, value, true);
    else if (bits === 64) view.setFloat64(at, value, true);
    return;
  }
  const full = 2 ** (bits - 1);
  const integer = Math.max(-full, Math.min(full - 1, Math.round(value * full)));
  if (bits === 8) view.setUint8(at, integer + 128);
  else if (bits === 16) view.setInt16(at, integer, true);
  else if (bits === 24) {
    view.setUint16(at, integer & 0xffff, true);
    view.setInt8(at + 2, integer >> 16);
  } else if (bits === 32) view.setInt32(at, integer, true);
}

const ascii = (text: string) => [...text].map((c) => c.charCodeAt(0));
const u32 = (value: number) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255];
