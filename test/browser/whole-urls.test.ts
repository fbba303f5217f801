import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { wholeModel, wholeUrl } from "../../src/browser/whole-urls.ts";

beforeEach(() => void vi.stubGlobal("document", { baseURI: "https://a.example/app/page.html" }));
afterEach(() => void vi.unstubAllGlobals());

it("takes URLs as the page sees them", () => {
  expect(wholeUrl("x.wav")).toBe("https://a.example/app/x.wav");
  expect(wholeUrl("/x.wav")).toBe("https://a.example/x.wav");
  expect(wholeUrl("https://b.example/x.wav")).toBe("https://b.example/x.wav");
});

it("leaves names and repositories of models as they are", () => {
  for (const name of ["tiny", "base", "onnx-community/whisper-base", "nothing"])
    expect(wholeModel(name)).toBe(name);
  expect(wholeModel("./models/tiny")).toBe("https://a.example/app/models/tiny");
  expect(wholeModel("models/tiny/")).toBe("https://a.example/app/models/tiny/");
  expect(wholeModel("/models/tiny")).toBe("https://a.example/models/tiny");
  expect(wholeModel("https://b.example/tiny")).toBe("https://b.example/tiny");
});
