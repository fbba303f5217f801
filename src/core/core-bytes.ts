/** Which of the four binaries: they come from one source and lay out memory alike. */
export interface BinaryChoice {
  /** Atomic instructions, for a shared memory. */
  threads: boolean;
  /** Fused multiply-add. */
  relaxed: boolean;
}

/** Each in a module of its own, so that a page loads the one it runs. */
const BINARIES = {
  plain: () => import("./binaries/plain.generated.ts"),
  relaxed: () => import("./binaries/relaxed.generated.ts"),
  threads: () => import("./binaries/threads.generated.ts"),
  "threads.relaxed": () => import("./binaries/threads.relaxed.generated.ts"),
};

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** Name of a binary, as in `wavepool/core.threads.relaxed.wasm`; the first is just `wavepool/core.wasm`. */
function binaryName({ threads, relaxed }: BinaryChoice): keyof typeof BINARIES {
  if (threads) return relaxed ? "threads.relaxed" : "threads";
  return relaxed ? "relaxed" : "plain";
}

async function compile(name: keyof typeof BINARIES): Promise<WebAssembly.Module> {
  const text = atob((await BINARIES[name]()).BASE64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return WebAssembly.compile(bytes);
}

/** The compiled core, shared by every core object of this realm. */
export function coreModule(choice: BinaryChoice): Promise<WebAssembly.Module> {
  const name = binaryName(choice);
  const known = compiled.get(name);
  if (known) return known;
  const module = compile(name).catch((error) => {
    compiled.delete(name); // what failed once, for want of memory say, may work later
    throw error;
  });
  compiled.set(name, module);
  return module;
}
