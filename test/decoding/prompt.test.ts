import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeWindow } from "../../src/decoding/decode-window.ts";
import { hasEspeak, speak } from "./espeak.ts";
import { createWorkbench, type Workbench } from "./workbench.ts";

describe.skipIf(!hasEspeak)("a prompt", () => {
  let bench: Workbench;
  beforeAll(async () => {
    bench = await createWorkbench("base");
  });
  afterAll(() => bench.release());

  it.each([
    ["I spoke with Jon Smith yesterday about the new house.", "A talk with Jon Smyth.", / John /, / Jon /],
    [
      "My friend Catherine lives in the country with her sister Sarah.",
      "A letter from Kathryn and Sara",
      /Catherine/,
      /Kathryn .* Sara\b/,
    ],
  ])("changes how names are spelled: %s", async (text, prompt, without, withPrompt) => {
    const hidden = await bench.encode(await speak("en-gb", text));
    const decode = async (prompt?: string) => {
      const { text } = await decodeWindow(bench.decoder, bench.config, bench.tokenizer, hidden, {
        language: "en",
        timestamps: false,
        temperatures: [0],
        prompt,
      });
      return ` ${text} `;
    };
    expect(await decode()).toMatch(without);
    expect(await decode(prompt)).toMatch(withPrompt);
    hidden.release();
  });
});
