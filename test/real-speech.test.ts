import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { spellingTable } from "../bench/wer/english-normalizer.mjs";
import {
  createBufferPool,
  createCore,
  createFrontEnd,
  createTranscriber,
  decodeAudio,
} from "../src/index.ts";
import { maxError, referenceLogMel } from "./reference/log-mel.ts";
import { realSpeechFolder, transcripts } from "./reference/real-speech.ts";
import { wordErrorRate } from "./reference/word-error-rate.ts";

const folder = realSpeechFolder();
const CLIPS = ["jfk.wav", "1688-142285-0001.flac", "3080-5032-0001.flac", "367-130732-0001.flac"];
const JFK =
  "And so my fellow Americans ask not what your country can do for you ask what you can do for your country";
const SPEECH_LIMIT = 2.5e-5;

if (!folder) {
  console.warn(
    "SKIPPED: real speech. No recordings found; set WAVEPOOL_SPEECH to a folder with transcripts.tsv.",
  );
}

describe.skipIf(!folder)("real speech", () => {
  it("is transcribed by base with at most one word in ten wrong", async () => {
    const words = transcripts(folder!).set("jfk.wav", JFK);
    const transcriber = await createTranscriber({ threads: 1 });
    const normalizer = join(transcriber.model.directory, "normalizer.json");
    const spellings = spellingTable(await readFile(normalizer, "utf8"));
    const pairs: [string, string][] = [];
    for (const clip of CLIPS) {
      const { text } = await transcriber.transcribe(await readFile(join(folder!, clip)));
      pairs.push([words.get(clip)!, text]);
    }
    await transcriber.dispose();
    const report = pairs.map(([reference, text]) => `${reference}\n${text}`).join("\n");
    expect(wordErrorRate([pairs[0]!], spellings), report).toBe(0);
    expect(wordErrorRate(pairs, spellings), report).toBeLessThanOrEqual(0.1);
    for (const pool of transcriber.stats()) expect(pool.inUse, pool.name).toBe(0);
  });

  it("has a log-mel within 2.5e-5 of the float64 reference, 80 and 128 mels", async () => {
    const core = await createCore();
    const pool = createBufferPool(core, { name: "mel", dtype: "f32", shape: 128 * 3000, max: 1 });
    for (const mels of [80, 128] as const) {
      const logMel = createFrontEnd(core, { preset: `whisper-${mels}` });
      for (const clip of CLIPS) {
        const { channels } = await decodeAudio(await readFile(join(folder!, clip)));
        using out = pool.acquire();
        logMel.compute(channels[0]!, out.view);
        const error = maxError(out.view, referenceLogMel(channels[0]!, mels, 480000));
        expect(error, `${clip}, ${mels} mels`).toBeLessThanOrEqual(SPEECH_LIMIT);
      }
    }
  });
});
