import { expect, it } from "vitest";
import * as errors from "../src/core/errors.ts";
import { postedError, revivedError } from "../src/core/posted-error.ts";

const over = (error: unknown) => revivedError(structuredClone(postedError(error)));

it.each([
  new errors.InvalidArgumentError("a"),
  new errors.DownloadError("interrupted", "b", { cause: new Error("c") }),
  new errors.NonFiniteSamplesError("d", 3, 14),
  new errors.UnknownLanguageError("e"),
  new errors.CoreMemoryError("f"),
])("brings $name over with its class and what it says", (error) => {
  const there = over(error);
  expect(there).toBeInstanceOf(error.constructor);
  const { stack: _stack, cause: _cause, ...facts } = Object.assign({}, error);
  expect(there).toMatchObject({ ...facts, name: error.name, message: error.message });
});

it("takes codes that it does not know, and what libraries throw, for errors of the base class", () => {
  expect(over(new errors.MicrophoneError("microphone-lost", "x"))).toMatchObject({ code: "microphone-lost" });
  for (const thrown of [new TypeError("x"), "x"]) {
    const there = over(thrown);
    expect(there).toBeInstanceOf(errors.WavepoolError);
    expect(there).toMatchObject({ code: "internal", kind: "failure", message: "x" });
  }
});

it("knows every class that has a code of its own", () => {
  const own = Object.values(errors).filter((value) => value.prototype instanceof errors.WavepoolError);
  const unknown = own
    .map((made) => Reflect.construct(made, ["x", "x", "x"]) as errors.WavepoolError)
    .filter((error) => over(error).constructor !== error.constructor)
    .map(({ name }) => name);
  expect(unknown.sort()).toEqual(["CrewError", "MicrophoneError", "UnsupportedExtractorError"]);
});
