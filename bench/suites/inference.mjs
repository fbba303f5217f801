/** A run of the encoder and of the decoder, by backend; transformers.js beside it with the same weights. */
import { ALLOWED_ERRORS, wordErrors } from "./spoken-words.mjs";

/** Seconds that the encoder is given. */
const WINDOWS = [1, 10, 30];
const FRAMES_PER_SECOND = 100;
/** What transformers.js is told of the sample. */
const SPOKEN = { language: "en", task: "transcribe" };
const PEER = "@huggingface/transformers, onnxruntime-web Wasm";
/**
 * Relative root mean square, against the same weights in float32: of devices, which compute so, and of 8-bit activations, with
 * which onnxruntime-node and transformers.js are off as far as we are: by 0.31 for windows of 30 s, 0.48 for shorter ones.
 */
const OFF_FLOAT32 = { device: 0.02, eightBit: 0.6 };
/** Tokens of a pass of the decoder, and of one on a GPU in software. */
const TOKENS = 16;
const FEW_TOKENS = 3;
/** SwiftShader needs minutes for all rounds of a window, or of a prompt after one of 30 s. */
const TOO_SLOW = "a GPU in software is measured by the decoder's tokens alone";
const SECONDS_IN_SOFTWARE = 1;

export default {
  name: "inference",
  title: "Encoder and decoder by backend, Whisper tiny in q8",
  /** @throws Error where there is no model */
  async jobs(context) {
    const speech = await context.speech();
    const { backend, openGraphs } = await context.graphs();
    const graphs = await openGraphs(speech);
    const backends = await Promise.all(context.providers.map(backend));
    const peer = peerOf(speech);
    const withPeer = (contenders, lacks, prepare, check) => [
      ...contenders,
      ...(peer ? [{ name: PEER, kind: "peer", lacks, prepare, check }] : []),
    ];
    const encoders = WINDOWS.map((seconds) => ({
      name: `encoder, ${seconds} s`,
      size: seconds,
      quick: seconds === 10 ? undefined : false,
      contenders: withPeer(
        backends.map((each) => ourEncoder(graphs, each, seconds)),
        seconds < 30 ? "takes windows of 30 s only" : undefined,
        () => peer.encoder(graphs, seconds),
        (result) => result,
      ),
    }));
    const decoder = (name, quick, ours, theirs) => ({
      name: `decoder, ${name}`,
      quick,
      check: (difference) => ({ difference, allowed: ALLOWED_ERRORS }),
      contenders: withPeer(
        backends.map((each) => ours(graphs, each)),
        undefined,
        theirs,
      ),
    });
    return [
      ...encoders,
      decoder("prompt", false, ourPrompt, () => peer.prompt(graphs)),
      decoder("a token", undefined, ourTokens, () => peer.tokens()),
    ];
  },
};

const contenderOf = ({ provider, name, lacks }) => ({
  name,
  kind: provider === "native" ? "yardstick" : "wavepool",
  lacks,
});

/** A run, and the hidden state in JavaScript's reach: before that, a GPU may still be at it. */
function ourEncoder(graphs, backend, seconds) {
  const { provider, software } = backend;
  const frames = seconds * FRAMES_PER_SECOND;
  const contender = contenderOf(backend);
  if (software) contender.lacks ??= TOO_SLOW;
  if (provider === "webnn" && seconds < 10) contender.lacks ??= "takes windows of 10, 20 and 30 s only";
  const device = provider === "webgpu" || provider === "webnn";
  return {
    ...contender,
    check: (result) => result,
    async prepare() {
      const encoder = await graphs.encoder(provider);
      const features = graphs.features(frames);
      const encode = async (use) => {
        const state = await encoder.encode(features);
        try {
          return use(await state.read());
        } finally {
          state.release();
        }
      };
      return {
        asynchronous: true,
        run: () => encode(([first]) => first),
        async result() {
          const reference = await graphs.reference(frames);
          return encode((values) => ({
            difference: relativeError(values, reference),
            allowed: device ? OFF_FLOAT32.device : OFF_FLOAT32.eightBit,
          }));
        },
      };
    },
  };
}

/** The tokens that start a text, after the hidden state of 30 s: with the cache that it makes of that. */
function ourPrompt(graphs, backend) {
  const contender = contenderOf(backend);
  if (backend.software) contender.lacks ??= TOO_SLOW;
  return {
    ...contender,
    async prepare() {
      const { start, wrong } = await ourDecoder(graphs, backend);
      return {
        asynchronous: true,
        async run() {
          const { logits, cache } = await start();
          const [first] = logits;
          cache.release();
          return first;
        },
        async result() {
          const { logits, cache } = await start();
          const missed = wrong(logits, 0);
          cache.release();
          return missed;
        },
      };
    },
  };
}

/** The sample's words after that, told token by token. */
function ourTokens(graphs, backend) {
  const steps = (backend.software ? FEW_TOKENS : TOKENS) - 1;
  const contender = contenderOf(backend);
  if (backend.software) contender.name += `, after ${SECONDS_IN_SOFTWARE} s`;
  return {
    ...contender,
    count: steps,
    async prepare() {
      const { decoder, start, wrong } = await ourDecoder(graphs, backend);
      const { cache: started } = await start();
      async function pass(take) {
        let cache = started.retain();
        let sum = 0;
        try {
          for (let i = 1; i <= steps; i++) {
            const next = await decoder.step(cache, graphs.tokens[i - 1]);
            cache.release();
            cache = next.cache;
            sum += take(next.logits, i);
          }
        } finally {
          cache.release();
        }
        return sum;
      }
      return {
        asynchronous: true,
        run: () => pass(([first]) => first),
        result: async () => (await pass(wrong)) / steps,
        close: () => started.release(),
      };
    },
  };
}

/** @returns { decoder, start(): the prompt's run, wrong(logits, at): 1 unless the likeliest token is the sample's at that place } */
async function ourDecoder({ decoder: load, reference, width, prompt, tokens }, { provider, software }) {
  const decoder = await load(provider);
  const hidden = await reference((software ? SECONDS_IN_SOFTWARE : 30) * FRAMES_PER_SECOND);
  const state = decoder.session.tensor("float32", hidden, [1, hidden.length / width, width]);
  return {
    decoder,
    start: () => decoder.start(state, prompt),
    wrong: (logits, at) => (greatest(logits.subarray(-decoder.vocabularySize)) === tokens[at] ? 0 : 1),
  };
}

/** Its sessions: the encoder's is run as transformers.js itself does, the decoder's are timed while it transcribes. */
function peerOf({ pipeline: load, samples, text }) {
  if (!load) return undefined;
  let loading;
  const loaded = () => {
    loading ??= load().then(({ pipeline, Tensor }) => {
      const { model, decoder_model_merged: decoder } = pipeline.model.sessions;
      const run = decoder.run.bind(decoder);
      const timed = { encoder: model, run, Tensor, times: [], transcribe: pipeline };
      decoder.run = async (inputs, ...args) => {
        timed.prompt ??= copied(inputs);
        const start = performance.now();
        const result = await run(inputs, ...args);
        timed.times.push(performance.now() - start);
        return result;
      };
      return timed;
    });
    return loading;
  };
  return {
    async encoder({ features, mels, reference }, seconds) {
      const { encoder, Tensor } = await loaded();
      const frames = seconds * FRAMES_PER_SECOND;
      const input = new Tensor("float32", features(frames), [1, mels, frames]).ort_tensor;
      const encode = async () => (await encoder.run({ input_features: input })).last_hidden_state.data;
      return {
        asynchronous: true,
        run: async () => (await encode())[0],
        result: async () => ({
          difference: relativeError(await encode(), await reference(frames)),
          allowed: OFF_FLOAT32.eightBit,
        }),
      };
    },
    /** The run that starts a text, again with the inputs of a first one. */
    async prompt({ tokens }) {
      const timed = await loaded();
      await timed.transcribe(samples, { ...SPOKEN, max_new_tokens: 1 });
      const logits = async () => (await timed.run(timed.prompt)).logits;
      return {
        asynchronous: true,
        run: async () => (await logits()).data[0],
        async result() {
          const { data, dims } = await logits();
          return greatest(data.subarray(-dims.at(-1))) === tokens[0] ? 0 : 1;
        },
      };
    },
    /** Those after it, in whole transcriptions. */
    async tokens() {
      const { times, transcribe } = await loaded();
      const pass = async () => {
        times.length = 0;
        const { text: heard } = await transcribe(samples, SPOKEN);
        const [, ...tokens] = times;
        return { heard, ms: mean(tokens) };
      };
      return {
        run: async () => (await pass()).ms,
        result: async () => wordErrors(text, (await pass()).heard),
        async time(calls) {
          const all = [];
          for (let i = 0; i < calls; i++) all.push((await pass()).ms);
          return mean(all);
        },
      };
    },
  };
}

/** Inputs of a run that nobody else will dispose of. */
const copied = (inputs) =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, tensor]) => [
      name,
      new tensor.constructor(tensor.type, tensor.data.slice(), tensor.dims),
    ]),
  );

const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;

function greatest(values) {
  let at = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[at]) at = i;
  return at;
}

/** Root mean square of the difference by that of the reference; infinite where lengths differ. */
function relativeError(values, reference) {
  if (values.length !== reference.length) return Number.POSITIVE_INFINITY;
  let [off, all] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    off += (values[i] - reference[i]) ** 2;
    all += reference[i] ** 2;
  }
  return Math.sqrt(off / all);
}
