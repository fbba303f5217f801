import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compressionRatio } from "../../src/decoding/compression-ratio.ts";

describe("compressionRatio", () => {
  it("is the length in UTF-8 over that of zlib's compression", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 300 }), async (text) => {
        const bytes = Buffer.from(text);
        expect(await compressionRatio(text)).toBe(bytes.length / deflateSync(bytes).length);
      }),
    );
  });

  it("passes speech and fails loops at the reference's threshold of 2.4", async () => {
    const speech = "And so my fellow Americans ask not what your country can do for you";
    expect(await compressionRatio(speech)).toBeLessThan(2.4);
    expect(await compressionRatio(" Thanks for watching!".repeat(10))).toBeGreaterThan(2.4);
    expect(await compressionRatio("")).toBe(0);
  });
});
