import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

/** A project of its own in the temporary folder, in which the package is installed as npm would have it. */
export interface PackedProject {
  readonly folder: string;
  readonly tarball: string;
  remove(): Promise<void>;
}

/** Packs what is built with `npm pack`, and installs it without the network: its dependencies are this project's. */
export async function installPacked(): Promise<PackedProject> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "wavepool-packed-")));
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const { stdout } = await run("npm", args, { cwd: ROOT, maxBuffer: 2 ** 26 });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const tarball = join(folder, filename);
  const modules = join(folder, "node_modules");
  await mkdir(modules);
  await run("tar", ["xf", tarball, "--no-same-owner"], { cwd: modules });
  await rename(join(modules, "package"), join(modules, "wavepool"));
  const { version, dependencies } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  for (const name of Object.keys(dependencies)) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(ROOT, "node_modules", name), join(modules, name));
  }
  const manifest = { type: "module", dependencies: { wavepool: version } };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  return { folder, tarball, remove: () => rm(folder, { recursive: true }) };
}
