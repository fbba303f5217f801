import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import nodeResolve from "@rollup/plugin-node-resolve";
import { build, transform } from "esbuild";
import { publint } from "publint";
import { rollup } from "rollup";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installPacked, type PackedProject } from "./reference/packed.ts";

const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url));
const manifest = JSON.parse(await readFile(path("package.json"), "utf8"));
/** Scripts that are started by their URL, not imported. */
const PROGRAMS = ["./speech-worker.js", "./microphone-processor.js"];
const BINARIES = Object.keys(manifest.exports).filter((name) => name.endsWith(".wasm"));

/** Every file that a part of the manifest names. */
function files(part: unknown): string[] {
  return typeof part === "string" ? [part] : Object.values(part as object).flatMap(files);
}

describe("the package", () => {
  it.each([...files(manifest.exports), ...files(manifest.bin), ...files(manifest.typesVersions)])(
    "has %s",
    (file) => {
      expect(existsSync(path(file))).toBe(true);
    },
  );

  it("has core binaries below 48 KiB", async () => {
    for (const name of BINARIES) {
      const bytes = await readFile(path(manifest.exports[name]));
      expect(bytes.length, name).toBeLessThanOrEqual(48 * 1024);
    }
  });

  it("imports by the names it exports, each class the same under all of them", async () => {
    const [main, pool, mel, whisper, transformers, worklet, testing, server] = await Promise.all([
      import("wavepool" as string),
      import("wavepool/pool" as string),
      import("wavepool/mel" as string),
      import("wavepool/whisper" as string),
      import("wavepool/transformers" as string),
      import("wavepool/worklet" as string),
      import("wavepool/vitest" as string),
      import("wavepool/server" as string),
    ]);
    const { pooledFeatureExtractor, ...others } = transformers;
    for (const [name, type] of Object.entries<new (message: string) => Error>(main)) {
      // Also where a minifier has renamed the class.
      if (/^\w+Error$/.test(name) && !/^(Wavepool|Download)/.test(name)) expect(new type("").name).toBe(name);
    }
    for (const [name, value] of [pool, mel, whisper, others].flatMap(Object.entries)) {
      expect(main[name], name).toBe(value);
    }
    expect(main.createTranscriber).toBeTypeOf("function");
    expect(pooledFeatureExtractor).toBeTypeOf("function");
    expect(worklet.attachCore).toBeTypeOf("function");
    expect(testing.failOnLeaks).toBeTypeOf("function");
    expect(server.createService).toBeTypeOf("function");
  });

  it("has each class once in a bundle for browsers too, whatever names it came by", async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: `import { InvalidArgumentError as a, Lease as b } from "wavepool";
          import { Lease as c } from "wavepool/pool";
          import { Lease as d } from "wavepool/mel";
          import { InvalidArgumentError as e } from "wavepool/whisper";
          import { InvalidArgumentError as f } from "wavepool/transformers";
          export default [b === c, b === d, a === e, a === f];`,
        resolveDir: path("."),
      },
      bundle: true,
      format: "esm",
      platform: "browser",
      logLevel: "error",
      write: false,
    });
    const url = `data:text/javascript;base64,${Buffer.from(outputFiles[0]!.contents).toString("base64")}`;
    expect((await import(/* @vite-ignore */ url)).default).toEqual([true, true, true, true]);
  });

  it("bundles the drop-in for browsers, of which transformers.js is no part", async () => {
    const { metafile, outputFiles } = await build({
      stdin: { contents: 'export * from "wavepool/transformers";', resolveDir: path(".") },
      bundle: true,
      format: "esm",
      platform: "browser",
      logLevel: "error",
      metafile: true,
      write: false,
    });
    const inputs = Object.keys(metafile.inputs);
    expect(inputs.some((name) => name.endsWith("dist/transformers.browser.js"))).toBe(true);
    expect(inputs.filter((name) => /huggingface|onnxruntime|node:/.test(name))).toEqual([]);
    expect(outputFiles[0]!.text).not.toMatch(/@huggingface\/transformers["']|from "/);
  });
});

/** A bundle, its code and its binaries of the core apart. */
interface Bundle {
  /** Of what is loaded, gzip. */
  bytes: number;
  /** Modules of which something is left in it. */
  modules: string[];
  binaries: number;
}

describe("the packed tarball", () => {
  let project: PackedProject;

  beforeAll(async () => {
    project = await installPacked();
  });

  afterAll(() => project.remove());

  it("is good by publint", async () => {
    const { buffer } = new Uint8Array(await readFile(project.tarball));
    const { messages } = await publint({ pack: { tarball: buffer }, strict: true });
    expect(messages).toEqual([]);
  });

  it("has types that are right by attw; it is ESM only, which CommonJS gets by import()", async () => {
    const excluded = ["--exclude-entrypoints", ...[...BINARIES, ...PROGRAMS].map((name) => name.slice(2))];
    const args = [project.tarball, "--profile", "esm-only", "-f", "json", ...excluded];
    const attw = path("node_modules/@arethetypeswrong/cli/dist/index.js");
    // Into a file: attw exits before a pipe has taken more than 64 KiB.
    const out = join(project.folder, "attw.json");
    const file = await open(out, "w");
    await new Promise((resolve) => {
      spawn(process.execPath, [attw, ...args], { stdio: ["ignore", file.fd, "inherit"] }).on(
        "close",
        resolve,
      );
    });
    await file.close();
    const { analysis, problems } = JSON.parse(await readFile(out, "utf8"));
    expect(Object.keys(analysis.entrypoints)).toContain("./whisper");
    expect(Object.keys(problems)).toEqual(["CJSResolvesToESM"]);
  });

  const BUNDLERS: Record<string, (entry: string) => Promise<Bundle>> = { esbuild, Rollup };

  /** Chunks of a bundle that its entry imports, at once or later. */
  function measure(chunks: { code: string; modules: string[] }[]): Bundle {
    const binary = ({ code }: { code: string }) => code.includes('"AGFzbQ');
    const code = chunks.filter((chunk) => !binary(chunk));
    return {
      bytes: code.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0),
      modules: code.flatMap(({ modules }) => modules),
      binaries: chunks.length - code.length,
    };
  }

  async function esbuild(entry: string): Promise<Bundle> {
    const { metafile, outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      splitting: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      logLevel: "error",
      outdir: join(project.folder, "out"),
      absWorkingDir: project.folder,
      metafile: true,
      write: false,
    });
    const { outputs } = metafile;
    const reached = new Set<string>();
    const reach = (name: string) => {
      if (reached.has(name)) return;
      reached.add(name);
      for (const { path } of outputs[name]!.imports) reach(path);
    };
    reach(Object.keys(outputs).find((name) => outputs[name]!.entryPoint === "entry.js")!);
    return measure(
      [...reached].map((name) => ({
        code: outputFiles.find((file) => file.path === join(project.folder, name))!.text,
        modules: Object.entries(outputs[name]!.inputs)
          .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
          .map(([module]) => module),
      })),
    );
  }

  async function Rollup(entry: string): Promise<Bundle> {
    const bundle = await rollup({
      input: entry,
      plugins: [nodeResolve({ browser: true })],
      onwarn(warning) {
        throw new Error(warning.message);
      },
    });
    const { output } = await bundle.generate({ format: "es" });
    await bundle.close();
    const chunks = output.filter((part) => part.type === "chunk");
    return measure(
      await Promise.all(
        chunks.map(async ({ code, modules }) => ({
          code: (await transform(code, { minify: true, format: "esm", target: "es2022" })).code,
          modules: Object.keys(modules).filter((name) => modules[name]!.renderedLength > 0),
        })),
      ),
    );
  }

  describe.each(Object.keys(BUNDLERS))("in %s", (bundler) => {
    it.each(["wavepool", "wavepool/pool"])(
      "gives %s's createBufferPool and createCore for less than 20 kB gzip beside the core's binary",
      async (name) => {
        const names = "{ createBufferPool, createCore }";
        const entry = join(project.folder, "entry.js");
        await writeFile(entry, `import ${names} from "${name}"; globalThis.pools = ${names};`);
        const { bytes, modules, binaries } = await BUNDLERS[bundler]!(entry);
        expect(binaries).toBe(4);
        expect(modules.filter((module) => /onnxruntime|yaml|huggingface|@audio/.test(module))).toEqual([]);
        expect(bytes).toBeGreaterThan(5_000);
        expect(bytes).toBeLessThan(20_000);
      },
    );
  });
});
