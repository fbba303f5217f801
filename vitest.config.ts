import { defineConfig } from "vitest/config";

/** Tests of kernels, which run a second time in a Node that has relaxed SIMD. */
const KERNEL_TESTS = [
  "test/log-mel.test.ts",
  "test/fft.test.ts",
  "test/fft-lanes.test.ts",
  "test/features/**/*.test.ts",
  "test/resampler.test.ts",
  "test/pcm-conversion.test.ts",
];

const shared = {
  setupFiles: ["test/setup.ts"],
  // onnxruntime-web starts threads of its own, which worker threads inside one process would share.
  pool: "forks" as const,
  testTimeout: 300_000,
  hookTimeout: 300_000,
};

export default defineConfig({
  test: {
    // Two cores: each model test loads a gigabyte and uses both.
    maxWorkers: 2,
    projects: [
      { test: { ...shared, name: "all", include: ["test/**/*.test.ts"] } },
      {
        test: {
          ...shared,
          name: "relaxed SIMD",
          include: KERNEL_TESTS,
          execArgv: ["--experimental-wasm-relaxed-simd"],
        },
      },
    ],
  },
});
