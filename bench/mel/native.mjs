/** The program on FFTW of bench/native, built here and kept running, so that its calls alternate with ours. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { converse } from "./converse.mjs";
import { speechLike } from "./signal.mjs";

const SOURCE = fileURLToPath(new URL("../native/fftw-mel.cpp", import.meta.url));

/**
 * Builds and starts the program; prepare(job) gives its time(calls) and features().
 *
 * @throws Error when there is no compiler ($CXX, or g++) or no FFTW.
 */
export async function startNative() {
  const folder = mkdtempSync(join(tmpdir(), "wavepool-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, "fftw-mel");
  try {
    const compiler = process.env.CXX ?? "g++";
    execFileSync(compiler, ["-O3", "-march=native", SOURCE, "-o", program, "-lfftw3f"], { stdio: "pipe" });
  } catch (error) {
    const why = String(error.stderr ?? "") || error.message;
    throw new Error(`not built; it needs g++ (or $CXX) and libfftw3-dev: ${why.trim().split("\n")[0]}`);
  }
  const samples = join(folder, "samples.f32");
  writeFileSync(samples, new Uint8Array(speechLike(480000).buffer));
  const child = converse(program, [samples]);

  async function ask(line) {
    const answer = await child.ask(line);
    if (!Number.isFinite(Number(answer))) throw new Error(`the native program says: ${answer}`);
    return Number(answer);
  }
  const prepare = ({ mels, seconds }) => {
    const job = `${mels} ${Math.round(seconds * 16000)}`;
    return {
      time: (calls) => ask(`time ${job} ${calls}`),
      async features() {
        const path = join(folder, "features.f32");
        await ask(`write ${job} ${path}`);
        return new Float32Array(new Uint8Array(readFileSync(path)).buffer);
      },
    };
  };
  return { prepare, end: child.end };
}
