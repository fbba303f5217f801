/** The packages of bench/package.json. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BENCH = fileURLToPath(new URL("..", import.meta.url));

/** Versions by name. */
export const peerVersions = JSON.parse(readFileSync(`${BENCH}package.json`, "utf8")).dependencies;

/** Installs what is missing, with install scripts off: they fetch GPU libraries that this bench does not need. */
export function installPeers() {
  if (Object.keys(peerVersions).every((name) => existsSync(`${BENCH}node_modules/${name}`))) return;
  console.error("installing the peers of bench/package.json …");
  try {
    const options = ["--ignore-scripts", "--no-audit", "--no-fund"];
    execFileSync("npm", ["ci", "--prefix", BENCH, ...options], { stdio: "inherit" });
  } catch (error) {
    console.error(`npm ci failed, so some peers will be missing: ${error.message}`);
  }
}
