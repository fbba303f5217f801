import { type FrontEndDescription, type FrontEndOptions, PRESETS, type PresetName } from "../../src/index.ts";

const KALDI: FrontEndDescription = PRESETS["kaldi-80"];
const FRAME = KALDI.frame!;
const NEMO: FrontEndDescription = PRESETS["nemo-80"];

/** Presets that take samples as a whole, and so cannot be streamed. */
export const WHOLE_CLIPS: PresetName[] = ["wav2vec2", "moonshine"];

/** Front ends of every kind of edge, stacking and finish that streams have to get right, beside the presets. */
const OTHERS: FrontEndDescription[] = [
  {
    ...NEMO,
    name: "reflected, last frame kept",
    frame: { ...NEMO.frame!, edges: "reflect", dropLast: false },
  },
  { ...NEMO, name: "padded after a guard", padTo: 9000 },
  {
    ...NEMO,
    name: "last frame complete, but dropped",
    frame: { ...NEMO.frame!, length: 35, hop: 94, fft: 120 },
    mel: { ...NEMO.mel!, count: 10 },
  },
  { ...KALDI, name: "mirrored", frame: { ...FRAME, edges: "mirror" } },
  {
    ...KALDI,
    name: "hop over length",
    frame: { ...FRAME, length: 300, hop: 500, edges: "mirror" },
  },
  { ...KALDI, name: "dithered", dither: { amount: 1e-3, seed: 3 } },
  { ...KALDI, name: "dithered and padded", dither: { amount: 1e-3, seed: 3 }, padTo: 7000 },
  { ...KALDI, name: "energy first", energy: { place: "first" } },
  { ...KALDI, name: "energy last, padded", energy: { place: "last" }, padTo: 7000 },
  {
    ...PRESETS.librosa,
    name: "odd transform",
    frame: { length: 400, hop: 111, fft: 675, window: "hann-periodic", edges: "reflect" },
    mel: { ...PRESETS.librosa.mel, count: 20 },
  },
  { ...KALDI, name: "all left", frame: { ...FRAME, edges: "reflect", left: 399 } },
  {
    ...KALDI,
    name: "snipped after pre-emphasis",
    preEmphasis: { coefficient: 0.97, over: "signal" },
    layout: "mel-major",
  },
  {
    ...KALDI,
    name: "stacked, three steps back",
    stacking: { frames: 5, step: 2, left: 3 },
    normalize: { kind: "mean-and-deviation" },
  },
  {
    ...KALDI,
    name: "stacked, the rest dropped",
    stacking: { frames: 4, step: 3, incomplete: "drop" },
    normalize: { kind: "mean" },
  },
  { ...PRESETS.silero, name: "chunks of samples, stacked", stacking: { frames: 3, step: 2 } },
];

/** Front ends with frames, by name: the presets, Whisper's with and without padding, and others. */
export const FRAMED: Record<string, FrontEndOptions> = {};
for (const name of Object.keys(PRESETS) as PresetName[]) {
  if (!WHOLE_CLIPS.includes(name)) FRAMED[name] = { preset: name };
  if ("padTo" in PRESETS[name]) FRAMED[`${name}, not padded`] = { preset: name, pad: false };
}
for (const preset of OTHERS) FRAMED[preset.name] = { preset };

export function descriptionOf({ preset }: FrontEndOptions): FrontEndDescription {
  return typeof preset === "string" ? PRESETS[preset] : preset;
}

/** The front end without what looks at more than one frame: its frames are the same wherever a stream is. */
export function single(options: FrontEndOptions): FrontEndOptions {
  const { normalize: _n, range: _r, stacking: _s, ...preset } = descriptionOf(options);
  return { ...options, preset };
}
