/** What a report says about where it was made. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Processor, cores, platform, memory and the load of the last minute. */
export function machineState() {
  return {
    processor: `${cpus()[0]?.model ?? "unknown processor"}${family()}`,
    cores: availableParallelism(),
    platform: `${platform()} ${arch()}`,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: Number(loadavg()[0].toFixed(2)),
  };
}

/** Name and version of this runtime. */
export function runtimeVersion() {
  const { Bun, Deno } = globalThis;
  if (Bun) return `Bun ${Bun.version}`;
  return Deno ? `Deno ${Deno.version.deno}` : `Node ${process.versions.node}`;
}

/** The same of the program of another runtime, as it tells them; the name alone where it does not. */
export function programVersion(name, program) {
  try {
    const said = execFileSync(program, ["--version"], { encoding: "utf8", stdio: "pipe", timeout: 20_000 });
    return `${name[0].toUpperCase()}${name.slice(1)} ${/\d+\.\S+/.exec(said)[0]}`;
  } catch {
    return name;
  }
}

/** Machine and this runtime in a line, for benches that print no report. */
export function machineLine() {
  const { processor, cores, platform, load } = machineState();
  return `${processor}, ${cores} cores, ${platform}, ${runtimeVersion()}, load ${load}`;
}

/** Family and model, for a virtual machine may name no more than the brand. */
function family() {
  try {
    const text = readFileSync("/proc/cpuinfo", "utf8");
    const field = (name) => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(text)?.[1];
    return field("cpu family") ? ` (family ${field("cpu family")}, model ${field("model")})` : "";
  } catch {
    return ""; // not Linux
  }
}

/** The commit that was measured; "+" where files differ from it, undefined without git. */
export function commitHere() {
  try {
    const git = (...args) => execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: "pipe" }).trim();
    const changed = git("status", "--porcelain", "--", ".", ":!README.md", ":!bench/report", ":!docs");
    return `${git("rev-parse", "--short", "HEAD")}${changed ? "+" : ""}`;
  } catch {
    return undefined;
  }
}
