/** Vite makes packages into one file for the development server, where URLs beside them are lost; builds need no settings. */
export default {
  optimizeDeps: { exclude: ["wavepool", "onnxruntime-web"] },
  server: {
    headers: {
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    },
  },
};
