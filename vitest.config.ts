import { defineConfig } from "vitest/config";

/** Tests of kernels that take every build by its name: they run once, in a Node that has relaxed SIMD. */
const EVERY_BUILD = [
  "test/fft.test.ts",
  "test/fft-lanes.test.ts",
  "test/features/canaries.test.ts",
  "test/features/kaldi-descriptions.test.ts",
  "test/features/mel-descriptions.test.ts",
  "test/features/presets.test.ts",
  "test/features/stream.test.ts",
];
/** Tests of kernels on the build that a runtime takes unasked: the others of these run without relaxed SIMD too. */
const KERNEL_TESTS = [
  ...EVERY_BUILD,
  "test/features/**/*.test.ts",
  "test/log-mel.test.ts",
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
      {
        test: {
          ...shared,
          name: "all",
          include: ["test/**/*.test.ts"],
          // Other runtimes (test/runtimes.test.ts) have no such flag and run what they are told to.
          exclude: process.env.EXPECT_RUNTIME ? [] : EVERY_BUILD,
        },
      },
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
