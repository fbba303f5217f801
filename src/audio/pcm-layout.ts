/** How samples lie in uncompressed sound: frames of one sample a channel. */
export interface PcmLayout {
  /** Numbers, or the companded bytes of ITU-T G.711. */
  kind: "signed" | "unsigned" | "float" | "alaw" | "ulaw";
  /** Bits that a sample takes up: 8, 16, 24 or 32; 32 or 64 of float. */
  bits: number;
  bigEndian: boolean;
  channels: number;
  /** Frames a second. */
  sampleRate: number;
}

/** Bytes of one sample of all channels. */
export function frameBytesOf({ channels, bits }: PcmLayout): number {
  return (channels * bits) / 8;
}

/** A function that gives the sample at a byte of `view`, scaled by its full range to -1 … 1. */
export function sampleReader(view: DataView, { kind, bits, bigEndian }: PcmLayout): (at: number) => number {
  const little = !bigEndian;
  if (kind === "alaw") return (at) => expandALaw(view.getUint8(at));
  if (kind === "ulaw") return (at) => expandMuLaw(view.getUint8(at));
  if (kind === "float") {
    return bits === 32 ? (at) => view.getFloat32(at, little) : (at) => view.getFloat64(at, little);
  }
  switch (bits) {
    case 8:
      if (kind === "unsigned") return (at) => (view.getUint8(at) - 128) / 128;
      return (at) => view.getInt8(at) / 128;
    case 16:
      return (at) => view.getInt16(at, little) / 32768;
    case 24:
      if (bigEndian) return (at) => (view.getInt8(at) * 65536 + view.getUint16(at + 1)) / 8388608;
      return (at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 65536) / 8388608;
    default:
      return (at) => view.getInt32(at, little) / 2147483648;
  }
}

/** ITU-T G.711 (1988), table 1: 13 bits, here at the top of 16. */
function expandALaw(byte: number): number {
  const code = byte ^ 0x55;
  const segment = (code >> 4) & 7;
  const step = ((code & 15) << 4) + 8;
  const size = segment === 0 ? step : (step + 256) << (segment - 1);
  return (code & 0x80 ? size : -size) / 32768;
}

/** ITU-T G.711 (1988), table 2: 14 bits, here at the top of 16. */
function expandMuLaw(byte: number): number {
  const code = ~byte & 0xff;
  const size = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132;
  return (code & 0x80 ? -size : size) / 32768;
}
