/** The sample of the package, and who transcribes it on this machine. */
import { existsSync, readFileSync } from "node:fs";
import type { BenchSpeech } from "../../bench/own.mjs";
import { messageOf } from "../core/errors.ts";
import { loadNativeRuntime } from "../inference/native-session.ts";
import { findModel } from "../models/model-files.ts";

const MODEL = "tiny";
/** Beside dist/, from the bundle and its chunks, and beside the sources. */
const PLACES = ["../samples/", "../../samples/"];

/**
 * Finds the model without fetching it.
 *
 * @throws ModelNotFoundError where it is not on this machine, naming how to get it.
 */
export async function benchSpeech(): Promise<BenchSpeech> {
  await findModel(MODEL, { offline: true });
  const folder = PLACES.map((place) => new URL(place, import.meta.url)).find((url) => existsSync(url))!;
  return {
    sound: readFileSync(new URL("hello.wav", folder)),
    text: readFileSync(new URL("hello.txt", folder), "utf8"),
    model: MODEL,
    providers: { wasm: true, native: await loadNativeRuntime().then(() => true as const, messageOf) },
  };
}
