/** The packages of bench/package.json. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BENCH = fileURLToPath(new URL("..", import.meta.url));

const read = (path) => JSON.parse(readFileSync(`${BENCH}${path}`, "utf8"));
const NAMES = Object.keys(read("package.json").dependencies);

/** Versions by name of what is installed, whatever was asked for; without those that are not. installPeers changes it. */
export let peerVersions = installed();

function installed() {
  const versions = {};
  for (const name of NAMES) {
    const path = `node_modules/${name}/package.json`;
    if (existsSync(`${BENCH}${path}`)) versions[name] = read(path).version;
  }
  return versions;
}

/** Installs what is missing, with install scripts off: they fetch GPU libraries that this bench does not need. */
export function installPeers() {
  if (NAMES.every((name) => name in peerVersions)) return;
  console.error("installing the peers of bench/package.json …");
  try {
    const options = ["--ignore-scripts", "--no-audit", "--no-fund"];
    execFileSync("npm", ["ci", "--prefix", BENCH, ...options], { stdio: "inherit" });
  } catch (error) {
    console.error(`npm ci failed, so some peers will be missing: ${error.message}`);
  }
  peerVersions = installed();
}
