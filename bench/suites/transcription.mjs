/** Whole transcription and its stages, by backend; transformers.js beside it with the same weights. */
import { editDistance } from "../wer/error-rate.mjs";

/** Of the words of a clip that a machine spoke. */
const ALLOWED_ERRORS = 0.34;
const words = (text) => text.toLowerCase().match(/[a-z']+/g) ?? [];

export default {
  name: "transcription",
  title: "Transcription, Whisper tiny in q8",
  /** Without a model or its runtime there are no jobs. */
  async jobs({ speech }) {
    if (!speech) return [];
    const { samples, text } = speech;
    const loaders = speech.loaders.map(loadedOnce);
    const seconds = samples.length / 16000;
    const check = (heard) => ({
      difference: editDistance(words(text), words(heard)) / words(text).length,
      allowed: ALLOWED_ERRORS,
    });
    /** @param of what to take of a call's figures; contenders that do not tell it are left out */
    const job = (name, unit, count, of, tells = () => true) => ({
      name,
      unit,
      count,
      quick: name === "whole" ? undefined : false,
      check,
      contenders: loaders.filter(tells).map((loader) => contender(loader, samples, of)),
    });
    const stages = ({ kind }) => kind === "wavepool";
    return [
      job("whole", "real-time factor", seconds * 1000, ({ total }) => total),
      job("first text", "ms", 1, ({ first }) => first),
      job("encoder", "ms", 1, ({ encoder }) => encoder, stages),
      job("decoder", "ms", 1, ({ decoder }) => decoder, stages),
    ];
  },
};

/** Jobs share what is loaded: a model takes seconds. */
function loadedOnce({ load, ...loader }) {
  let loaded;
  return {
    ...loader,
    load() {
      loaded ??= load();
      return loaded;
    },
  };
}

function contender({ name, kind, load }, samples, of) {
  return {
    name,
    kind,
    async prepare() {
      const transcribe = await load();
      const once = async () => {
        const start = performance.now();
        const result = await transcribe(samples);
        return { ...result, total: performance.now() - start };
      };
      return {
        run: async () => (await once()).text.length,
        result: async () => (await once()).text,
        async time(calls) {
          let sum = 0;
          for (let i = 0; i < calls; i++) sum += of(await once());
          return sum / calls;
        },
      };
    },
  };
}
