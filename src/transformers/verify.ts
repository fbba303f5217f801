import { messageOf, UnsupportedExtractorError } from "../core/errors.ts";
import type { FeatureExtractor, TensorClass, TensorLike } from "./extractor.ts";

/** Half a second with an odd number of Kaldi's frames, so that what pads them shows too. */
const PROBE_SAMPLES = 8123;
/**
 * Largest difference of features on the probe that is rounding. Ours lie within 4e-5 of theirs; a symmetric window in
 * place of a periodic one shows as 1e-2, a pre-emphasis of 0.98 in place of 0.97 as 1e-1.
 */
const ROUNDING = 1e-3;

/** Seeded noise, which reaches every filter, and then silence, which reaches the logarithm's floor. */
export function probeSamples(): Float32Array {
  let state = 1;
  return Float32Array.from({ length: PROBE_SAMPLES }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return i < PROBE_SAMPLES / 2 ? 0.3 * (state / 2 ** 31 - 1) : 0;
  });
}

/**
 * What the original makes of the probe.
 *
 * @throws UnsupportedExtractorError when it fails.
 */
export async function askOriginal(
  kind: string,
  extractor: FeatureExtractor,
): Promise<Record<string, TensorLike>> {
  try {
    return await extractor(probeSamples());
  } catch (cause) {
    throw new UnsupportedExtractorError(
      `${kind}: the original fails on half a second of noise (${messageOf(cause)}); mend its configuration first`,
      { cause },
    );
  }
}

/** The class of their tensors: that of the very copy of transformers.js which the extractor belongs to. */
export function tensorClassOf(
  kind: string,
  results: Record<string, TensorLike>,
  output: string,
): TensorClass {
  const Tensor = results[output]?.constructor;
  if (typeof Tensor === "function") return Tensor as TensorClass;
  throw new UnsupportedExtractorError(
    `${kind}: the original returns no ${output} but ${Object.keys(results).join(", ") || "nothing"}; keep it`,
  );
}

/**
 * Holds features against the original's.
 *
 * @throws UnsupportedExtractorError naming the first thing that differs.
 */
export function assertSame(
  kind: string,
  theirs: Record<string, TensorLike>,
  ours: Record<string, TensorLike>,
): void {
  const differ = (what: string) =>
    new UnsupportedExtractorError(
      `${kind}: ${what} where wavepool computes otherwise: its class, mel_filters or window are not those that wavepool knows; keep the original extractor`,
    );
  const names = Object.keys(theirs).join(", ");
  if (names !== Object.keys(ours).join(", ")) throw differ(`the original returns ${names}`);
  for (const [name, { type, dims, data }] of Object.entries(theirs)) {
    const own = ours[name]!;
    if (type !== own.type || `${dims}` !== `${own.dims}`) {
      throw differ(`the original's ${name} is ${type} [${dims.join(", ")}]`);
    }
    for (let i = 0; i < data.length; i++) {
      const difference = Math.abs(Number(data[i]) - Number(own.data[i]));
      if (difference <= ROUNDING) continue;
      throw differ(`the original's ${name} differs by ${difference.toPrecision(2)} at ${i}`);
    }
  }
}
