/** Who takes part, each in a process of its own. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { converse } from "../mel/converse.mjs";
import { installPeers, peerVersions } from "../mel/peers.mjs";

const CHILD = fileURLToPath(new URL("./child.mjs", import.meta.url));

export const CONTENDERS = {
  wavepool: { label: "wavepool" },
  transformers: {
    /** Its version is known once it is installed. */
    get label() {
      return `transformers.js ${peerVersions["@huggingface/transformers"]}`;
    },
  },
};

/** Installs the peer where it is missing. */
export function prepare(names) {
  if (names.includes("transformers")) installPeers();
  const peer = new URL("../node_modules/@huggingface/transformers", import.meta.url);
  if (names.includes("transformers") && !existsSync(peer)) {
    throw new Error("@huggingface/transformers is not installed; run npm run peers, or give --only wavepool");
  }
}

/**
 * Starts a contender and has it load its model.
 *
 * @param flags of the engine
 * @returns how long loading took and what memory it left, `transcribe(file)` and `end()`
 */
export async function start(name, options, flags = []) {
  const child = converse(process.execPath, [...process.execArgv, ...flags, CHILD, name]);
  async function ask(...request) {
    const { value, error } = JSON.parse(await child.ask(JSON.stringify(request)));
    if (error !== undefined) throw new Error(`${name}: ${error}`);
    return value;
  }
  try {
    const loaded = await ask("load", options);
    return {
      name,
      loaded,
      transcribe: (file, override) => ask("transcribe", file, override),
      end: child.end,
    };
  } catch (error) {
    child.end();
    throw error;
  }
}
