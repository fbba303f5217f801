/** A speech pipeline of @huggingface/transformers that tells when the first text was there: in any runtime. */

/** Whisper's window in seconds; longer sound is cut into chunks that overlap by a sixth on either side, its default. */
const WINDOW = 30;

/**
 * @returns transcribe(samples, onWindow): text, segments with timestamps, when the first of them was complete, and when the first
 * token of text was there
 */
export function transcriberOf(pipeline, timestamps = "none") {
  const timed = timestamps !== "none";
  const firstTime = pipeline.tokenizer.timestamp_begin;
  return async (samples, onWindow) => {
    const long = samples.length > WINDOW * 16000;
    const start = performance.now();
    const watch = segmentWatch(firstTime, timed, start, onWindow);
    const { text, chunks } = await pipeline(samples, {
      language: "en",
      task: "transcribe",
      ...(timed ? { return_timestamps: true } : {}),
      ...(long ? { chunk_length_s: WINDOW } : {}),
      streamer: watch,
    });
    const segments = chunks?.map(({ timestamp: [from, to], text }) => ({ start: from, end: to, text }));
    return { text, first: watch.first, firstToken: watch.firstToken, segments };
  };
}

/**
 * A streamer that only looks at the clock: a segment is complete with its closing timestamp, or where none are
 * written with its chunk. (transformers.js's own also decodes every token to text, which would be timed.)
 */
function segmentWatch(firstTime, timed, start, onWindow) {
  let inText = false;
  let windows = 0;
  const watch = {
    first: undefined,
    firstToken: undefined,
    put([tokens]) {
      if (tokens.length === 1) watch.firstToken ??= performance.now() - start;
      if (!timed || watch.first !== undefined || tokens.length > 1) return; // the prompt comes at once
      if (Number(tokens[0]) < firstTime) inText = true;
      else if (inText) watch.first = performance.now() - start;
    },
    end() {
      watch.first ??= performance.now() - start;
      // Chunks of 30 s that overlap by 5 s on either side.
      onWindow(++windows * (WINDOW - 2 * (WINDOW / 6)));
    },
  };
  return watch;
}
