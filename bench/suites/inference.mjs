/** A run of the encoder and of the decoder, by backend; transformers.js beside it with the same weights. */
import { ALLOWED_ERRORS, wordErrors } from "./spoken-words.mjs";

/** Seconds that the encoder is given. */
const WINDOWS = [1, 10, 30];
const FRAMES_PER_SECOND = 100;
const PEER = "@huggingface/transformers, onnxruntime-web Wasm";
/** Relative root mean square, against the same weights in float32: of devices, which compute so, and of 8-bit activations. */
const OFF_FLOAT32 = { device: 0.02, eightBit: 0.6 };
/** Tokens of a pass of the decoder, and of one on a GPU in software. */
const TOKENS = 16;
const FEW_TOKENS = 4;
const MINUTES = "takes minutes on a GPU in software";

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
    const decoder = (name, quick, of) => ({
      name: `decoder, ${name}`,
      quick,
      check: (difference) => ({ difference, allowed: ALLOWED_ERRORS }),
      contenders: withPeer(
        backends.map((each) => ourDecoder(graphs, each, of)),
        undefined,
        () => peer.decoder(of),
      ),
    });
    return [
      ...encoders,
      decoder("prompt", false, ({ prompt }) => prompt),
      decoder("a token", undefined, ({ token }) => token),
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
  if (software && seconds > 1) contender.lacks ??= MINUTES;
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

/** The sample's words, told token by token after the hidden state of 30 s. */
function ourDecoder(graphs, backend, of) {
  const { provider, software } = backend;
  return {
    ...contenderOf(backend),
    async prepare() {
      const decoder = await graphs.decoder(provider);
      const hidden = await graphs.reference(30 * FRAMES_PER_SECOND);
      const dims = [1, hidden.length / graphs.width, graphs.width];
      const tokens = graphs.tokens.slice(0, software ? FEW_TOKENS : TOKENS);
      const pass = (onLogits) =>
        decoderPass(
          decoder,
          decoder.session.tensor("float32", hidden, dims),
          graphs.prompt,
          tokens,
          onLogits,
        );
      return {
        run: async () => (await pass(() => undefined)).token,
        async result() {
          let wrong = 0;
          await pass((logits, at) => {
            if (greatest(logits.subarray(-decoder.vocabularySize)) !== tokens[at]) wrong++;
          });
          return wrong / tokens.length;
        },
        time: async (calls) => mean(await repeated(calls, async () => of(await pass(() => undefined)))),
      };
    },
  };
}

/** @returns ms of the prompt, and of each token after it */
async function decoderPass(decoder, state, prompt, tokens, onLogits) {
  const start = performance.now();
  let step = await decoder.start(state, prompt);
  const prompted = performance.now();
  try {
    onLogits(step.logits, 0);
    for (let i = 1; i < tokens.length; i++) {
      const next = await decoder.step(step.cache, tokens[i - 1]);
      step.cache.release();
      step = next;
      onLogits(step.logits, i);
    }
  } finally {
    step.cache.release();
  }
  return { prompt: prompted - start, token: (performance.now() - prompted) / (tokens.length - 1) };
}

/** Its sessions: the encoder's is run as transformers.js itself does, the decoder's are timed while it transcribes. */
function peerOf({ pipeline: load, samples, text }) {
  if (!load) return undefined;
  let loading;
  const loaded = () => {
    loading ??= load().then(({ pipeline, Tensor }) => {
      const { model, decoder_model_merged: decoder } = pipeline.model.sessions;
      const timed = { encoder: model, Tensor, times: [], transcribe: pipeline };
      const run = decoder.run.bind(decoder);
      decoder.run = async (...args) => {
        const start = performance.now();
        const result = await run(...args);
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
    async decoder(of) {
      const timed = await loaded();
      const pass = async () => {
        timed.times.length = 0;
        const { text: heard } = await timed.transcribe(samples, { language: "en", task: "transcribe" });
        const [prompt, ...tokens] = timed.times;
        return { heard, prompt, token: mean(tokens) };
      };
      return {
        run: async () => (await pass()).token,
        result: async () => wordErrors(text, (await pass()).heard),
        time: async (calls) => mean(await repeated(calls, async () => of(await pass()))),
      };
    },
  };
}

async function repeated(count, run) {
  const values = [];
  for (let i = 0; i < count; i++) values.push(await run());
  return values;
}

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
