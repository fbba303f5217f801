/** The packages of bench/package.json, loaded when they are asked for, so that one that fails spares the rest. */
import { kissfftSpectrum, pffftSpectrum } from "../mel/spectra.mjs";

const MODULES = {
  "@huggingface/transformers": () => import("@huggingface/transformers"),
  "fft.js": () => import("fft.js"),
  meyda: () => import("meyda"),
  "parakeet.js/mel": () => import("parakeet.js/mel"),
  "ringbuf.js": () => import("ringbuf.js"),
};

/** Their loaders look for the binary in different ways; it is handed over. */
const WASM = {
  kissfft: { load: () => import("kissfft-wasm/lib/kissfft.js"), file: "kissfft-wasm/lib/kissfft.wasm" },
  pffft: {
    load: () => import("@echogarden/pffft-wasm/simd"),
    file: "@echogarden/pffft-wasm/dist/simd/pffft.wasm",
  },
  speex: {
    load: () => import("@echogarden/speex-resampler-wasm/simd"),
    file: "@echogarden/speex-resampler-wasm/wasm/speex-resampler-simd.wasm",
  },
};

/**
 * @param read resolves to the bytes of a file of bench/node_modules
 * @param onnxruntime URL of onnxruntime-web's files, which transformers.js would else fetch from a CDN in pages
 */
export function peersBy(read, onnxruntime) {
  const wasm = async (name) => {
    const { load, file } = WASM[name];
    const { default: start } = await load();
    return start({ wasmBinary: await read(file) });
  };
  return {
    async load(name) {
      const module = await MODULES[name]();
      if (onnxruntime && module.env?.backends) module.env.backends.onnx.wasm.wasmPaths = onnxruntime;
      return module;
    },
    wasm,
    spectrum: async (name) => (name === "kissfft" ? kissfftSpectrum : pffftSpectrum)(await wasm(name)),
  };
}
