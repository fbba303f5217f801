/**
 * Whole transcription; transformers.js beside it with the same weights. Its first text is its first token, ours the first segment,
 * for we tell no less.
 */
import { ALLOWED_ERRORS, wordErrors } from "./spoken-words.mjs";

export default {
  name: "transcription",
  title: "Transcription, Whisper tiny in q8",
  /** @throws Error where there is no model */
  async jobs(context) {
    const { samples, text, loaders } = await context.speech();
    const seconds = samples.length / 16000;
    const shared = loaders.map(loadedOnce);
    const check = (heard) => ({ difference: wordErrors(text, heard), allowed: ALLOWED_ERRORS });
    /** @param of what to take of a call's figures */
    const job = (name, unit, count, of) => ({
      name,
      unit,
      count,
      quick: name === "whole" ? undefined : false,
      check,
      contenders: shared.map((loader) => contender(loader, samples, of)),
    });
    return [
      job("whole", "real-time factor", seconds * 1000, ({ total }) => total),
      job("first text", "ms", 1, ({ first, firstToken = first }) => firstToken),
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

function contender({ name, kind, lacks, load }, samples, of) {
  return {
    name,
    kind,
    lacks,
    async prepare() {
      const transcribe = await load();
      const once = async () => {
        const start = performance.now();
        const result = await transcribe(samples);
        // A process of its own tells its own time.
        return { ...result, total: result.ms ?? performance.now() - start };
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
