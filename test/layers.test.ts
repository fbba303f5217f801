import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../src", import.meta.url));
/** Each layer may import from itself and from those before it. */
const LAYERS = [
  "core",
  "adapters",
  "pools",
  "testing",
  "audio",
  "features",
  "transformers",
  "models",
  "inference",
  "decoding",
  "voice",
  "transcription",
  "output",
  "server",
  "cli",
  "browser",
];

async function modules(): Promise<string[]> {
  const entries = await readdir(SRC, { recursive: true });
  return entries.filter((name) => name.endsWith(".ts")).map((name) => join(SRC, name));
}

/** Paths under src of whatever a module imports: statically, dynamically or by one of the # names. */
async function imports(file: string): Promise<string[]> {
  const text = await readFile(file, "utf8");
  const names = [...text.matchAll(/(?:from|import)\s*\(?\s*"([.#][^"]+)"/g)].map((match) => match[1]!);
  return names.map((name) =>
    name.startsWith("#") ? `adapters/${name.slice(1)}` : relative(SRC, resolve(dirname(file), name)),
  );
}

describe("src", () => {
  it("imports one way through its layers", async () => {
    const files = await modules();
    expect(files.length).toBeGreaterThan(20);
    const wrong: string[] = [];
    for (const file of files) {
      const name = relative(SRC, file);
      const from = LAYERS.indexOf(name.split("/")[0]!);
      if (from < 0) continue; // index.ts exports all
      for (const target of await imports(file)) {
        const layer = target.split("/")[0]!;
        if (LAYERS.indexOf(layer) > from) wrong.push(`${name} imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("keeps what differs between runtimes in adapters and the command line", async () => {
    const wrong: string[] = [];
    for (const file of await modules()) {
      const name = relative(SRC, file);
      // Texts of programs for pages hold what they bundle.
      if (/^(adapters|cli)\/|-text\.generated\.ts$/.test(name)) continue;
      if (/from "node:|\bprocess\.|\bDeno\.|\bBun\./.test(await readFile(file, "utf8"))) wrong.push(name);
    }
    expect(wrong).toEqual([]);
  });

  it("has no file over 400 lines", async () => {
    const assembly = fileURLToPath(new URL("../assembly", import.meta.url));
    const sources = (await readdir(assembly, { recursive: true })).filter((name) => name.endsWith(".ts"));
    const files = [...(await modules()), ...sources.map((name) => join(assembly, name))];
    for (const file of files.filter((name) => !name.endsWith(".generated.ts"))) {
      const lines = (await readFile(file, "utf8")).split("\n").length;
      expect(lines, file).toBeLessThanOrEqual(401);
    }
  });
});
