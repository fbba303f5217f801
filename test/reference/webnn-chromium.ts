import { execFile } from "node:child_process";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliDecompress, createBrotliDecompress } from "node:zlib";

const PACKAGE = fileURLToPath(new URL("../../node_modules/@sparticuz/chromium", import.meta.url));

/**
 * Path of a Chromium whose WebNN has a backend (TFLite), which Debian's has not: that of the npm package @sparticuz/chromium,
 * for Linux on x64, unpacked once into the temporary folder (5 s, 200 MB), or WAVEPOOL_WEBNN_CHROMIUM. Undefined where
 * there is none: then such tests are skipped, and say so.
 */
export async function webNnChromium(): Promise<string | undefined> {
  const given = process.env.WAVEPOOL_WEBNN_CHROMIUM;
  if (given) return existsSync(given) ? given : skipped(`${given} does not exist`);
  if (process.platform !== "linux" || process.arch !== "x64")
    return skipped("its package is for Linux on x64");
  const { version } = JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8"));
  const folder = join(tmpdir(), `wavepool-chromium-${version}`);
  const path = join(folder, "chromium");
  if (existsSync(path)) return path;
  const bin = join(PACKAGE, "bin");
  const fresh = await mkdtemp(`${folder}-`);
  try {
    await pipeline(
      createReadStream(join(bin, "chromium.br")),
      createBrotliDecompress(),
      createWriteStream(join(fresh, "chromium")),
    );
    await chmod(join(fresh, "chromium"), 0o755);
    // WebNN lives in the GPU process, which needs its libraries.
    const archive = join(fresh, "swiftshader.tar");
    await writeFile(
      archive,
      await promisify(brotliDecompress)(await readFile(join(bin, "swiftshader.tar.br"))),
    );
    await promisify(execFile)("tar", ["xf", archive, "--no-same-owner"], { cwd: fresh });
    await rm(archive);
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true });
    // Another test may have been faster.
    if (!existsSync(path)) throw error;
  }
  return path;
}

function skipped(why: string): undefined {
  console.warn(
    `SKIPPED: WebNN, for ${why}. Set WAVEPOOL_WEBNN_CHROMIUM to a Chromium whose WebNN has a backend.`,
  );
}
