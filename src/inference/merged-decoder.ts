import type { Core } from "../core/core.ts";
import { ModelFormatError } from "../core/errors.ts";
import type { WhisperConfig } from "../models/whisper-config.ts";
import type { BufferPool } from "../pools/buffer-pool.ts";
import { createBufferPool } from "../pools/create-buffer-pool.ts";
import type { CrossAttention, Decoder, DecoderOptions, DecoderStep } from "./decoder.ts";
import { presentName } from "./graph/static-decoder.ts";
import { readGraphFiles } from "./graph-files.ts";
import { type CrossCache, createCrossCache, createKvCache } from "./kv-cache.ts";
import { createSession } from "./providers.ts";
import type { Session } from "./session.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Without onnxruntime's handling of quantised nodes the dequantised embedding is a constant, and folded; with it
 * the nodes stay, and the whole embedding is unpacked and transposed in each run.
 */
const UNPACK_AT_LOAD = { "session.disable_quant_qdq": "1" };

/** Runs at once that the pools have room for. */
const RUNS = 4;

interface InputPools {
  tokens: BufferPool<"i64">;
  flags: BufferPool<"u8">;
  states: BufferPool<"f32">;
}

/**
 * Loads the merged decoder of a Whisper export as it is. Token ids, the cache switch and the stand-in for the
 * encoder's output go in from pooled buffers.
 *
 * @throws ModelFormatError when the file is broken or no merged decoder.
 * @throws PoolExhaustedError from the runs when more go on at once than the pools allow.
 */
export async function loadMergedDecoder(
  core: Core,
  path: string,
  config: WhisperConfig,
  options: DecoderOptions = {},
): Promise<Decoder> {
  const { poolSuffix = "" } = options;
  const pools: InputPools = {
    tokens: createBufferPool(core, {
      name: `decoder_tokens${poolSuffix}`,
      dtype: "i64",
      shape: config.maxTokens,
      max: RUNS,
    }),
    flags: createBufferPool(core, { name: `decoder_flags${poolSuffix}`, dtype: "u8", shape: 1, max: RUNS }),
    states: createBufferPool(core, {
      name: `decoder_states${poolSuffix}`,
      dtype: "f32",
      shape: config.width,
      max: RUNS,
    }),
  };
  const closePools = () => {
    for (const pool of Object.values(pools)) pool.shutdown();
  };
  let session: Session;
  try {
    const { bytes, externalData, fast = false, poolSuffix: _, ...rest } = options;
    const settings = fast ? { ...UNPACK_AT_LOAD, ...rest.config } : rest.config;
    session = await createSession(() => readGraphFiles(path, { bytes, externalData }), {
      ...rest,
      ...(settings && { config: settings }),
      graph: "decoder",
      path,
    });
  } catch (error) {
    closePools();
    throw error;
  }
  const caches = session.inputs.filter(({ name }) => name.startsWith("past_key_values."));
  const ownNames = caches.map(({ name }) => name).filter((name) => name.includes(".decoder."));
  const crossNames = caches.map(({ name }) => name).filter((name) => name.includes(".encoder."));
  if (
    !session.inputs.some(({ name }) => name === "use_cache_branch") ||
    caches.length !== 4 * config.decoderLayers
  ) {
    closePools();
    await session.release();
    throw new ModelFormatError(
      `${path} is no merged Whisper decoder: it has ${caches.length} caches; check that all files are of one model`,
    );
  }
  const { vocabularySize } = config;
  const headWidth = config.width / config.decoderHeads;

  async function prefill(hiddenState: Tensor, ids: readonly number[], fetches: readonly string[]) {
    using tokens = pools.tokens.acquire();
    using flag = pools.flags.acquire();
    for (let i = 0; i < ids.length; i++) tokens.view[i] = BigInt(ids[i]!);
    flag.view[0] = 0;
    const feeds: Record<string, Tensor> = {
      input_ids: session.tensor("int64", tokens.view.subarray(0, ids.length), [1, ids.length]),
      encoder_hidden_states: hiddenState,
      use_cache_branch: session.tensor("bool", flag.view, [1]),
    };
    for (const { name, type } of caches) {
      const none = type === "float16" ? new Uint16Array(0) : new Float32Array(0);
      feeds[name] = session.tensor(type, none, [1, config.decoderHeads, 0, headWidth]);
    }
    return await session.run(feeds, fetches);
  }

  /** The caches among the outputs of a run, and its logits. */
  async function toStep(
    outputs: Record<string, Tensor>,
    length: number,
    cross: CrossCache,
  ): Promise<DecoderStep> {
    const logits = outputs.logits!;
    const cache = createKvCache(length, pick(outputs, ownNames), cross, logits);
    try {
      return { logits: await readLogits(logits), cache };
    } catch (error) {
      cache.release();
      throw error;
    }
  }

  const readLogits = (logits: Tensor) => readRows(logits, vocabularySize);

  return {
    session,
    vocabularySize,
    hasCrossAttentions: session.outputs.some(({ name }) => name.startsWith("cross_attentions.")),
    async start(hiddenState, tokens) {
      const outputs = await prefill(hiddenState, tokens, [
        "logits",
        ...caches.map(({ name }) => presentName(name)),
      ]);
      return toStep(
        outputs,
        tokens.length,
        createCrossCache(pick(outputs, crossNames), hiddenState.dims[1]!),
      );
    },
    async step(cache, token) {
      using tokens = pools.tokens.acquire();
      using flag = pools.flags.acquire();
      using state = pools.states.acquire();
      tokens.view[0] = BigInt(token);
      flag.view[0] = 1;
      // With a cache the encoder's output is not read: one row stands in for it.
      state.view.fill(0);
      const outputs = await session.run(
        {
          input_ids: session.tensor("int64", tokens.view.subarray(0, 1), [1, 1]),
          encoder_hidden_states: session.tensor("float32", state.view, [1, 1, config.width]),
          use_cache_branch: session.tensor("bool", flag.view, [1]),
          ...cache.own,
          ...cache.cross.tensors,
        },
        ["logits", ...ownNames.map(presentName)],
      );
      return toStep(outputs, cache.length + 1, cache.cross.retain());
    },
    async attend(hiddenState, tokens, layers) {
      const names = layers.map((layer) => `cross_attentions.${layer}`);
      assertAttentions(path, session, names);
      const outputs = await prefill(hiddenState, tokens, ["logits", ...names]);
      try {
        const attentions: CrossAttention[] = [];
        for (const layer of layers) {
          const tensor = outputs[`cross_attentions.${layer}`]!;
          const weights = ((await tensor.read()) as Float32Array).slice();
          const [, heads, rows, positions] = tensor.dims as [number, number, number, number];
          attentions.push({ layer, heads, tokens: rows, positions, weights });
        }
        return { attentions, logits: (await readLogits(outputs.logits!)).slice() };
      } finally {
        for (const tensor of Object.values(outputs)) tensor.release();
      }
    },
    async release() {
      closePools();
      await session.release();
    },
  };
}

function pick(outputs: Record<string, Tensor>, pastNames: readonly string[]): Record<string, Tensor> {
  return Object.fromEntries(pastNames.map((name) => [name, outputs[presentName(name)]!]));
}

/**
 * Reads logits.
 *
 * @throws ModelFormatError when they are not those of the vocabulary.
 */
export async function readRows(logits: Tensor, vocabularySize: number): Promise<Float32Array> {
  if (logits.dims.at(-1) !== vocabularySize) {
    throw new ModelFormatError(
      `the decoder gives ${logits.dims.at(-1)} logits, but config.json has a vocab_size of ${vocabularySize}; check that all files are of one model`,
    );
  }
  return (await logits.read()) as Float32Array;
}

/** @throws ModelFormatError when a graph lacks one of the attentions. */
export function assertAttentions(
  path: string,
  { outputs }: Pick<Session, "outputs">,
  names: readonly string[],
): void {
  const missing = names.find((name) => !outputs.some((output) => output.name === name));
  if (missing === undefined) return;
  throw new ModelFormatError(
    `${path} has no output ${missing}, which word times need; take an export made with attentions, such as onnx-community/whisper-*_timestamped`,
  );
}
