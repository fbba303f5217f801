import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openSound } from "../src/audio/sound-source.ts";
import { createCore } from "../src/core/create-core.ts";
import { AudioFormatError } from "../src/core/errors.ts";

const path = (name: string) => new URL(`fixtures/${name}`, import.meta.url);

/** A file whose first table of a type says something else, so many bytes behind its name. */
function lying(name: string, type: string, words: Record<number, number>): Uint8Array {
  const bytes = Buffer.from(readFileSync(path(name)));
  const at = bytes.indexOf(type);
  expect(at, type).toBeGreaterThan(0);
  for (const [offset, word] of Object.entries(words)) bytes.writeUInt32BE(word, at + 4 + Number(offset));
  return new Uint8Array(bytes);
}

async function read(bytes: Uint8Array): Promise<number> {
  const core = await createCore({ threads: false });
  const reader = await openSound(core, bytes);
  try {
    const out = new Float32Array(16384);
    let total = 0;
    for (let count = out.length; count === out.length; total += count) count = await reader.read(out);
    return total;
  } finally {
    await reader.close();
  }
}

describe("an MP4 file's index", () => {
  it.each(["hello.m4a", "hello-front.m4a", "hello-fragments.mp4"])(
    "is read when it is right: %s",
    async (name) => {
      expect(await read(new Uint8Array(readFileSync(path(name))))).toBeGreaterThan(10_000);
    },
  );

  // An array of so many ends the process, whatever the heap's limit of a thread is.
  it.each([
    ["hello.m4a", "stsz", { 4: 1, 8: 2 ** 32 - 1 }],
    ["hello.m4a", "stsz", { 4: 0, 8: 2 ** 31 }],
    ["hello-front.m4a", "stco", { 4: 2 ** 31 - 1 }],
    ["hello-front.m4a", "stsc", { 4: 2 ** 32 - 1 }],
    ["hello-fragments.mp4", "trun", { 4: 2 ** 32 - 1 }],
    ["hello-fragments.mp4", "trun", { 0: 0, 4: 2 ** 32 - 1 }],
  ])("is refused when it lies: %s, %s", async (name, type, words) => {
    const error = await read(lying(name, type, words as Record<number, number>)).catch((caught) => caught);
    expect(error).toBeInstanceOf(AudioFormatError);
    expect(error.message).toMatch(/MP4 file's index says .* convert it first/);
  });
});
