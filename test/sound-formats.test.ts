import { describe, expect, it } from "vitest";
import { openSound } from "../src/audio/sound-source.ts";
import { createCore, poolStatistics } from "../src/index.ts";
import { firstDifference } from "./reference/bits.ts";
import { fixture, randomPieces, readAll, soundOf, streamOf, wholeSound } from "./reference/sound-streams.ts";

const SEED = Number(process.env.SEED ?? 20261);
/** Sounds that `decodeAudio` gives too, with their seconds where the file declares them. */
const FILES = [
  "hello.flac",
  "hello.mp3",
  "hello.ogg",
  "hello.opus",
  "hello.m4a",
  "hello-front.m4a",
  "hello-fragments.mp4",
  "hello.aac",
  "hello.webm",
  "hello-vorbis.mkv",
  "hello.aiff",
  "hello-8.aiff",
  "hello-ulaw.aiff",
  "hello-ima4.aiff",
  "hello-stereo.flac",
  "hello-flac.oga",
];

describe(`openSound, seed ${SEED}`, () => {
  it.each(FILES)("reads %s as decodeAudio does, in pieces of any size", async (name) => {
    const core = await createCore();
    const bytes = await fixture(name);
    const expected = await wholeSound(core, bytes);
    expect(expected.length).toBeGreaterThan(22000);
    for (const most of [1, 40, 1000, 30_000]) {
      const pieces = randomPieces(bytes, most, SEED + most);
      const sound = await soundOf(core, streamOf(pieces));
      expect(sound.length, `${most}`).toBe(expected.length);
      expect(firstDifference(sound, expected), `pieces up to ${most}`).toBe(-1);
    }
    expect(firstDifference(await soundOf(core, bytes), expected)).toBe(-1);
    expect(poolStatistics(core).every(({ inUse }) => inUse === 0)).toBe(true);
  });

  it.each([
    ["hello.flac", 1.5],
    ["hello-stereo.flac", 1.5],
    ["hello.mp3", 1.5],
    ["hello.ogg", 1.5],
    ["hello.opus", 1.5],
    ["hello.m4a", 1.5],
    ["hello-front.m4a", 1.5],
    ["hello.webm", 1.5],
    ["hello-vorbis.mkv", 1.5],
    ["hello.aiff", 1.5],
    ["hello.aac", undefined],
    ["hello-fragments.mp4", undefined],
  ])("knows how long %s is before it is read: %s s", async (name, seconds) => {
    const core = await createCore();
    await using reader = await openSound(core, new Blob([await fixture(name)]));
    if (seconds === undefined) expect(reader.duration).toBeUndefined();
    // Encoders add some of their own, and MP3's count leaves four frames out.
    else expect(Math.abs(reader.duration! - seconds)).toBeLessThan(0.12);
    await readAll(reader);
  });
});
