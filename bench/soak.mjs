/** `npm run soak:service`: the fault tests of the service with their full counts, some ten minutes on two cores. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const args = [
  path("../node_modules/vitest/vitest.mjs"),
  "run",
  "--project",
  "all",
  "test/server/faults.test.ts",
];
const child = spawn(process.execPath, args, {
  cwd: path(".."),
  env: { ...process.env, WAVEPOOL_SOAK: "1" },
  stdio: "inherit",
});
child.once("exit", (code) => process.exit(code ?? 1));
