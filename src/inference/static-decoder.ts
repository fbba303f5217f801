import type { Core } from "../core/core.ts";
import { InferenceError, ModelFormatError, messageOf } from "../core/errors.ts";
import type { WhisperConfig } from "../models/whisper-config.ts";
import type { BufferPool } from "../pools/buffer-pool.ts";
import { createBufferPool } from "../pools/create-buffer-pool.ts";
import type { CrossAttention, Decoder, DecoderOptions, DecoderStep } from "./decoder.ts";
import { WINDOW_FRAMES } from "./encoder.ts";
import { crossGraph, ENCODER_LENGTH, POSITION, presentName, stepGraph } from "./graph/static-decoder.ts";
import type { ReadExternal } from "./graph/unpack-weights.ts";
import { externalReader, readGraphFiles } from "./graph-files.ts";
import { outlineGraph } from "./graph-outline.ts";
import { type CrossCache, createCrossCache, createKvCache } from "./kv-cache.ts";
import { assertAttentions, readRows } from "./merged-decoder.ts";
import { createSession } from "./providers.ts";
import type { Session } from "./session.ts";
import { callersTensor, type Tensor } from "./tensor.ts";

/** Tokens of a run for long prompts and for word times, at most. */
const MANY = 64;
/** Prompts up to this length are run a token at a time, which takes no second set of weights. */
const SHORT_PROMPT = 8;
/** Runs at once that the pools have room for. */
const RUNS = 4;

type Tensors = Readonly<Record<string, Tensor>>;

/**
 * Loads a merged decoder as graphs in which all sizes are fixed (graph/static-decoder.ts): one that runs a token on caches
 * of full length, one that makes keys and values of the encoder's output for each of its lengths, and, on first use, one
 * that runs many tokens, for prompts with the text before, and one that gives their attentions too.
 *
 * @throws ModelFormatError when the file is broken, no merged decoder, or laid out otherwise.
 * @throws PoolExhaustedError from the runs when more go on at once than the pools allow.
 */
export async function loadStaticDecoder(
  core: Core,
  path: string,
  config: WhisperConfig,
  options: DecoderOptions = {},
): Promise<Decoder> {
  const { bytes, externalData, fast: _, poolSuffix = "", ...rest } = options;
  const { vocabularySize, maxTokens, decoderHeads: heads, width } = config;
  const sizes = { heads, headWidth: width / heads, length: maxTokens, positions: WINDOW_FRAMES / 2 };
  const many = largestDivisor(maxTokens, MANY);
  let hasCrossAttentions = false;

  const load = (make: (bytes: Uint8Array, readExternal: ReadExternal) => Uint8Array) =>
    createSession(
      async () => {
        const files = await readGraphFiles(path, { bytes, externalData });
        return { ...files, bytes: make(files.bytes, externalReader(files.externalData)) };
      },
      { ...rest, graph: "decoder", path },
    );
  const loadRun = (tokens: number, attentions: boolean) =>
    load((bytes, readExternal) =>
      stepGraph(bytes, path, { ...sizes, tokens, attentions, vocabulary: vocabularySize }, readExternal),
    );

  const pool = (name: string, shape: number) =>
    createBufferPool(core, { name: `${name}${poolSuffix}`, dtype: "i32", shape, max: RUNS });
  const pools: Record<"ids" | "positions" | "lengths", BufferPool<"i32">> = {
    ids: pool("static_tokens", many),
    positions: pool("static_positions", many),
    lengths: pool("static_lengths", 1),
  };
  const closePools = () => {
    for (const one of Object.values(pools)) one.shutdown();
  };
  let session: Session;
  try {
    session = await load((bytes, readExternal) => {
      hasCrossAttentions = outlineGraph(bytes).outputs.some((name) => name.startsWith("cross_attentions."));
      const step = { ...sizes, tokens: 1, attentions: false, vocabulary: vocabularySize };
      return stepGraph(bytes, path, step, readExternal);
    });
  } catch (error) {
    closePools();
    throw error;
  }
  const caches = session.inputs.filter(({ name }) => name.startsWith("past_key_values."));
  const ownCaches = caches.filter(({ name }) => name.includes(".decoder."));
  const crossNames = caches.map(({ name }) => name).filter((name) => name.includes(".encoder."));
  if (caches.length !== 4 * config.decoderLayers) {
    closePools();
    await session.release();
    throw new ModelFormatError(
      `${path} is no merged Whisper decoder: it has ${caches.length} caches; check that all files are of one model`,
    );
  }
  // Constant as weights are, and so no lease that would look like a leak.
  const cells = heads * maxTokens * sizes.headWidth;
  const half = ownCaches[0]?.type === "float16";
  const zeros = half ? new Uint16Array(cells) : new Float32Array(cells);
  const empty: Tensors = Object.fromEntries(
    ownCaches.map(({ name, type }) => [
      name,
      callersTensor(type, zeros, [1, heads, maxTokens, sizes.headWidth]),
    ]),
  );

  /** Sessions that are made when they are first needed. */
  const later = new Map<string, Promise<Session>>();
  function onDemand(key: string, make: () => Promise<Session>): Promise<Session> {
    const made =
      later.get(key) ??
      make().catch((cause) => {
        later.delete(key);
        throw new InferenceError(`the decoder's graph for ${key} does not load (${messageOf(cause)})`, {
          cause,
        });
      });
    later.set(key, made);
    return made;
  }

  function assertRoom(tokens: number): void {
    if (tokens <= maxTokens) return;
    throw new InferenceError(
      `the decoder has no room for more than ${maxTokens} tokens, and these are ${tokens}`,
    );
  }

  async function makeCross(hiddenState: Tensor): Promise<CrossCache> {
    const rows = hiddenState.dims[1]!;
    const cross = await onDemand(`${rows} positions`, () =>
      load((bytes, readExternal) => crossGraph(bytes, path, { ...sizes, rows, width }, readExternal)),
    );
    const outputs = await cross.run({ encoder_hidden_states: hiddenState }, crossNames.map(presentName));
    return createCrossCache(pick(outputs, crossNames), rows);
  }

  /** Runs up to as many tokens as the graph takes, from the place `start` on; those that are missing do no harm. */
  async function runTokens(
    on: Session,
    size: number,
    own: Tensors,
    cross: CrossCache,
    start: number,
    tokens: readonly number[],
    attentions: readonly string[] = [],
  ): Promise<Record<string, Tensor>> {
    assertRoom(start + tokens.length);
    using ids = pools.ids.acquire();
    using positions = pools.positions.acquire();
    using lengths = pools.lengths.acquire();
    for (let i = 0; i < size; i++) {
      // Rows behind the last token are written anew before any token looks at them.
      ids.view[i] = tokens[Math.min(i, tokens.length - 1)]!;
      positions.view[i] = start + i;
    }
    lengths.view[0] = cross.positions;
    return await on.run(
      {
        input_ids: on.tensor("int32", ids.view.subarray(0, size), [1, size]),
        [POSITION]: on.tensor("int32", positions.view.subarray(0, size), [size]),
        [ENCODER_LENGTH]: on.tensor("int32", lengths.view, [1]),
        ...own,
        ...cross.tensors,
      },
      ["logits", ...ownCaches.map(({ name }) => presentName(name)), ...attentions],
    );
  }

  /**
   * Runs a text from its start, piece by piece; `onPiece` reads what it needs of each piece before the next is run.
   *
   * @returns the outputs of the last piece, the caller's to release.
   */
  async function runText(
    on: Session,
    size: number,
    cross: CrossCache,
    tokens: readonly number[],
    attentions: readonly string[],
    onPiece: (outputs: Record<string, Tensor>, start: number, count: number) => Promise<void>,
  ): Promise<Record<string, Tensor>> {
    let outputs: Record<string, Tensor> = {};
    try {
      for (let start = 0; start < tokens.length; start += size) {
        const piece = tokens.slice(start, start + size);
        const own = start === 0 ? empty : pick(outputs, ownNames);
        const next = await runTokens(on, size, own, cross, start, piece, attentions);
        release(outputs);
        outputs = next;
        await onPiece(outputs, start, piece.length);
      }
      return outputs;
    } catch (error) {
      release(outputs);
      throw error;
    }
  }
  const ownNames = ownCaches.map(({ name }) => name);

  function toStep(
    outputs: Record<string, Tensor>,
    length: number,
    cross: CrossCache,
    logits: Float32Array,
  ): DecoderStep {
    return { logits, cache: createKvCache(length, pick(outputs, ownNames), cross, outputs.logits!) };
  }

  return {
    session,
    vocabularySize,
    hasCrossAttentions,
    async start(hiddenState, tokens) {
      assertRoom(tokens.length);
      const size = tokens.length <= SHORT_PROMPT ? 1 : many;
      const on = size === 1 ? session : await onDemand(`${many} tokens`, () => loadRun(many, false));
      const cross = await makeCross(hiddenState);
      try {
        const logits = new Float32Array(tokens.length * vocabularySize);
        const outputs = await runText(on, size, cross, tokens, [], async (piece, start, count) => {
          const rows = await readRows(piece.logits!, vocabularySize);
          logits.set(rows.subarray(0, count * vocabularySize), start * vocabularySize);
        });
        return toStep(outputs, tokens.length, cross, logits);
      } catch (error) {
        cross.release();
        throw error;
      }
    },
    async step(cache, token) {
      const outputs = await runTokens(session, 1, cache.own, cache.cross, cache.length, [token]);
      try {
        const logits = await readRows(outputs.logits!, vocabularySize);
        return toStep(outputs, cache.length + 1, cache.cross.retain(), logits);
      } catch (error) {
        release(outputs);
        throw error;
      }
    },
    async attend(hiddenState, tokens, layers) {
      const names = layers.map((layer) => `cross_attentions.${layer}`);
      assertRoom(tokens.length);
      const on = await onDemand(`attentions of ${many} tokens`, () => loadRun(many, true));
      assertAttentions(path, on, names);
      const cross = await makeCross(hiddenState);
      try {
        const { positions } = cross;
        const logits = new Float32Array(tokens.length * vocabularySize);
        const attentions: CrossAttention[] = layers.map((layer) => {
          const weights = new Float32Array(heads * tokens.length * positions);
          return { layer, heads, tokens: tokens.length, positions, weights };
        });
        const last = await runText(on, many, cross, tokens, names, async (piece, start, count) => {
          const rows = await readRows(piece.logits!, vocabularySize);
          logits.set(rows.subarray(0, count * vocabularySize), start * vocabularySize);
          for (const [index, { weights }] of attentions.entries()) {
            const values = (await piece[names[index]!]!.read()) as Float32Array;
            for (let head = 0; head < heads; head++) {
              for (let row = 0; row < count; row++) {
                const from = (head * many + row) * sizes.positions;
                const to = (head * tokens.length + start + row) * positions;
                weights.set(values.subarray(from, from + positions), to);
              }
            }
          }
        });
        release(last);
        return { attentions, logits };
      } finally {
        cross.release();
      }
    },
    async release() {
      closePools();
      const others = await Promise.allSettled(later.values());
      for (const other of others) if (other.status === "fulfilled") await other.value.release();
      await session.release();
    },
  };
}

function pick(outputs: Tensors, pastNames: readonly string[]): Record<string, Tensor> {
  return Object.fromEntries(pastNames.map((name) => [name, outputs[presentName(name)]!]));
}

function release(tensors: Tensors): void {
  for (const tensor of Object.values(tensors)) tensor.release();
}

/** The largest number up to `most` that divides `whole`, so that pieces never reach past its end. */
function largestDivisor(whole: number, most: number): number {
  for (let size = Math.min(whole, most); size > 1; size--) if (whole % size === 0) return size;
  return 1;
}
