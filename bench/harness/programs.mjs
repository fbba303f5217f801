/** Node, Deno and Bun: where they are, and a suite run in a process of one of them. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ALLOCATION_FLAGS } from "../mel/allocation.mjs";
import { bundleForNode, GRAPHS } from "./bundled.mjs";

const CHILD = fileURLToPath(new URL("./child.mjs", import.meta.url));
const BIN = fileURLToPath(new URL("../../node_modules/.bin/", import.meta.url));
const MAX_MS = 900_000;

const FLAGS = { node: [], deno: ["run", "--allow-all", "--quiet"], bun: [] };
/** For EFFORTS.counts. What Bun counts moves with collections only. */
const COUNTING_FLAGS = { node: ALLOCATION_FLAGS, deno: [`--v8-flags=${ALLOCATION_FLAGS.join(",")}`] };
export const PROGRAM_NAMES = Object.keys(FLAGS);

/**
 * Path of a runtime's program: this very Node, what DENO or BUN of the environment names, one of the dev dependencies, or one of
 * PATH; undefined where there is none.
 */
export function programOf(name) {
  if (name === "node") return process.execPath;
  const named = process.env[name.toUpperCase()];
  if (named) return existsSync(named) ? named : undefined;
  const folders = [BIN, ...(process.env.PATH ?? "").split(delimiter)];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Whether bytes and collections can be counted in a runtime. */
export const counts = (name) => name in COUNTING_FLAGS;

/** Runs a suite. @returns { version, core, result } @throws Error when the suite fails, or the process ends without a word */
export async function suiteInProcess(name, program, suite, effort, onProgress) {
  if (suite === "inference") await bundleForNode(GRAPHS);
  const flags = [...FLAGS[name], ...(effort === "counts" ? COUNTING_FLAGS[name] : [])];
  const child = spawn(program, [...flags, CHILD, suite, effort], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: MAX_MS,
    killSignal: "SIGKILL",
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  let said = "";
  child.stderr.on("data", (data) => {
    said = (said + data).slice(-2000);
  });
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(`ended with ${signal ?? code}`));
  });
  let answer;
  for await (const line of createInterface({ input: child.stdout })) {
    const value = parsed(line);
    if (value === undefined) continue;
    if (value.at !== undefined) onProgress(value.at);
    else answer = value;
  }
  const end = await ended;
  process.off("exit", kill);
  if (answer === undefined) throw new Error(`${end}: ${said.trim().split("\n").at(-1) ?? ""}`);
  if (answer.failed !== undefined) throw new Error(answer.failed);
  return answer;
}

/** What a line says, or undefined for what a peer may have printed. */
function parsed(line) {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
