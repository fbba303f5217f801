import { expect, it } from "vitest";
import { joinTranscriptions, shifted } from "../../src/browser/joined-transcription.ts";
import type { Transcription } from "../../src/transcription/transcription.ts";

function part(text: string, seconds: number): Transcription {
  const segment = {
    ...{ id: 0, seek: 5, start: 0.1, end: seconds, text: ` ${text}`, tokens: [1], temperature: 0 },
    ...{ avgLogprob: -0.2, compressionRatio: 1, noSpeechProb: 0 },
    words: [{ word: ` ${text}`, start: 0.1, end: seconds, probability: 0.9 }],
  };
  return {
    ...{
      text,
      task: "transcribe",
      language: "de",
      languageProbability: 0.8,
      duration: seconds,
      model: "tiny",
    },
    segments: text === "" ? [] : [segment],
    providers: { encoder: "wasm", decoder: "native", passedOver: [] },
    ...{ windows: 1, truncated: false, times: { audio: 1, mel: 2, encoder: 3, decoder: 4, total: 10 } },
  };
}

it("moves an utterance to its time in the sound", () => {
  const [segment] = shifted(part("hallo", 1.5), 12.25, 7).segments;
  expect(segment).toMatchObject({ id: 7, seek: 5 + 1225, start: 12.35, end: 13.75, text: " hallo" });
  expect(segment!.words![0]).toMatchObject({ start: 12.35, end: 13.75 });
});

it("joins utterances, of which silent ones tell nothing", () => {
  const silent = { ...part("", 1), language: "en", truncated: true };
  const joined = joinTranscriptions(
    [silent, shifted(part("eins", 1), 2, 0), shifted(part("zwei", 1), 4, 1)],
    { model: { name: "tiny" } },
    6.5,
    "transcribe",
  );
  expect(joined).toMatchObject({
    text: "eins zwei",
    language: "de",
    languageProbability: 0.8,
    duration: 6.5,
  });
  expect(joined.segments.map(({ id, start }) => [id, start])).toEqual([
    [0, 2.1],
    [1, 4.1],
  ]);
  expect(joined).toMatchObject({ windows: 3, truncated: true, times: { encoder: 9, total: 30 } });
  expect(joined.providers.decoder).toBe("native");
});

it("is empty where nothing was said", () => {
  const empty = joinTranscriptions([], { model: { name: "tiny" } }, 3, "translate");
  expect(empty).toMatchObject({ text: "", segments: [], duration: 3, task: "translate", windows: 0 });
});
