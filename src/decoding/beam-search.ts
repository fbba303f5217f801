import { giveWay } from "../inference/give-way.ts";
import type { KvCache } from "../inference/kv-cache.ts";
import type { Stop } from "./loop-guard.ts";
import { logSumExp } from "./probabilities.ts";
import { bestOf, firstRow, type Hypothesis, refuseLogits, type Search } from "./search.ts";

export interface BeamOptions {
  /** Texts followed at a time. */
  readonly beamSize: number;
  /** Finished texts to wait for, as a multiple of `beamSize` (Kasai et al. 2022, arXiv:2204.05424). Default 1. */
  readonly patience?: number | undefined;
  readonly lengthPenalty?: number | undefined;
}

/** A text that goes on, with the likeliest tokens after it. */
interface Beam {
  tokens: number[];
  sumLogprob: number;
  cache: KvCache;
  top: Candidates;
}

/** The likeliest tokens, best first, and their log probabilities. */
export interface Candidates {
  tokens: number[];
  logprobs: number[];
}

/** A beam and one more token. */
interface Step {
  beam: Beam;
  token: number;
  sumLogprob: number;
}

/**
 * Beam search (openai/whisper `decoding.py`, `BeamSearchDecoder`). The beams share what caches they have in common;
 * at most twice `beamSize` are alive. A search stops early when its best text is found in a loop.
 *
 * Different from the reference, texts of probability 0 are never kept.
 *
 * @throws the signal's reason when it is aborted.
 * @throws ModelFormatError when no logit is a number.
 */
export async function searchBeams(search: Search, options: BeamOptions): Promise<Hypothesis> {
  const { beamSize, patience = 1, lengthPenalty } = options;
  const { decoder, tokenizer, rules, guard, limit, signal, onToken } = search;
  const wanted = roundHalfEven(beamSize * patience);
  const finished: Hypothesis[] = [];
  let stop: Stop = "length";
  let beams: Beam[] = [];
  let children: Beam[] = [];
  try {
    const top = likeliest(firstRow(search), beamSize + 1);
    beams.push({ tokens: [], sumLogprob: 0, cache: search.cache.retain(), top });
    for (let length = 1; ; length++) {
      const { steps, ended } = rank(beams, beamSize, tokenizer.endOfText);
      for (const { beam, sumLogprob } of ended.slice(0, Math.max(0, wanted - finished.length))) {
        finished.push({ tokens: beam.tokens, sumLogprob, stop: "end" });
      }
      const best = steps[0];
      if (best) onToken?.(length, [...best.beam.tokens, best.token]);
      const early = best && guard([...best.beam.tokens, best.token]);
      stop = early ?? "length";
      if (finished.length >= wanted || early || length >= limit || !best) {
        // Texts that did not end count only as far as finished ones are lacking.
        const unfinished = steps.map(({ beam, token, sumLogprob }): Hypothesis => {
          return { tokens: [...beam.tokens, token], sumLogprob, stop };
        });
        const lacking = Math.max(0, beamSize - finished.length);
        return bestOf([...finished, ...unfinished.slice(0, lacking)], lengthPenalty);
      }
      for (const { beam, token, sumLogprob } of steps) {
        await giveWay(signal);
        const { logits, cache } = await decoder.step(beam.cache, token);
        const child: Beam = { tokens: [...beam.tokens, token], sumLogprob, cache, top: NONE };
        children.push(child);
        rules(logits, child.tokens);
        child.top = likeliest(logits, beamSize + 1);
      }
      for (const { cache } of beams) cache.release();
      beams = children;
      children = [];
    }
  } finally {
    for (const { cache } of [...beams, ...children]) cache.release();
  }
}

const NONE: Candidates = { tokens: [], logprobs: [] };

/** The best continuations of all beams until `beamSize` go on, and those that end among them, best first. */
function rank(beams: readonly Beam[], beamSize: number, endOfText: number): { steps: Step[]; ended: Step[] } {
  const candidates = beams.flatMap((beam) =>
    beam.top.tokens.map((token, i): Step => {
      return { beam, token, sumLogprob: beam.sumLogprob + beam.top.logprobs[i]! };
    }),
  );
  candidates.sort((a, b) => b.sumLogprob - a.sumLogprob);
  const steps: Step[] = [];
  const ended: Step[] = [];
  for (const candidate of candidates) {
    if (candidate.token === endOfText) ended.push(candidate);
    else if (steps.push(candidate) === beamSize) break;
  }
  return { steps, ended };
}

/**
 * The `count` likeliest tokens of a row of logits, fewer where fewer are possible; the lower id first among equals.
 *
 * @throws ModelFormatError when no logit is a number above -Infinity.
 */
export function likeliest(logits: Float32Array, count: number): Candidates {
  const tokens: number[] = [];
  const values: number[] = [];
  let least = Number.NEGATIVE_INFINITY;
  for (let token = 0; token < logits.length; token++) {
    const value = logits[token]!;
    if (!(value > least)) continue;
    let place = values.length;
    while (place > 0 && values[place - 1]! < value) place--;
    values.splice(place, 0, value);
    tokens.splice(place, 0, token);
    if (values.length > count) {
      values.pop();
      tokens.pop();
    }
    if (values.length === count) least = values[count - 1]!;
  }
  if (tokens.length === 0) refuseLogits();
  const total = logSumExp(logits);
  return { tokens, logprobs: values.map((value) => value - total) };
}

/** As Python's `round`, which the reference counts with. */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const half = x - floor === 0.5;
  return half ? floor + (floor % 2) : Math.round(x);
}
