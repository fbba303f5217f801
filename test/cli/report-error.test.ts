import { afterEach, describe, expect, it, vi } from "vitest";
import { oneLine, printError } from "../../src/cli/report-error.ts";
import { FileError, InferenceError } from "../../src/core/errors.ts";

afterEach(() => vi.restoreAllMocks());

describe("printError", () => {
  it.each([
    [new FileError("cannot read a.wav: no"), "a.wav", "wavepool: cannot read a.wav: no\n", 2],
    [new InferenceError("out of memory"), "a.wav", "wavepool: a.wav: out of memory\n", 1],
    [new Error("a\nb\u001b[2J"), undefined, "wavepool: a\\nb\\u001b[2J\n", 1],
    ["thrown as it is", undefined, "wavepool: thrown as it is\n", 1],
  ])("of %o is one line", (error, file, line, code) => {
    const lines: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((text) => lines.push(String(text)) > 0);
    expect(printError(error, file)).toBe(code);
    expect(lines).toEqual([line]);
  });
});

describe("oneLine", () => {
  it("leaves letters of any script alone", () => {
    expect(oneLine("Grüße 世界 🎉\t\u009b")).toBe(
      "Grüße 世界 🎉\\t\u009b".replace("\u009b", JSON.stringify("\u009b").slice(1, -1)),
    );
  });
});
