import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

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

/** Files that take longest begin first, so that none of them is left to run alone at the end. */
const LONGEST = [
  "test/runtimes.test.ts",
  "test/server/faults.test.ts",
  "test/inference/device-session.test.ts",
  "test/transcription/transcriber.test.ts",
  "test/bundlers.test.ts",
  "test/engines.test.ts",
  "test/server/openai-client.test.ts",
  "test/browser/live-engines.test.ts",
  "test/browser/microphone.test.ts",
  "test/browser.test.ts",
  "test/model-store/browser.test.ts",
  "test/browser/sources.test.ts",
  "test/transformers.test.ts",
  "test/transcription/prepared-window.test.ts",
  "test/browser/listener.test.ts",
  "test/worklet.test.ts",
  "test/cli-transcribe.test.ts",
  "test/page/page.test.ts",
  "test/decoding/decode-window.test.ts",
  "test/inference/providers.test.ts",
  "test/transcriber.test.ts",
  "test/inference/wasm-heap-session.test.ts",
  "test/cli.test.ts",
  "test/interleavings/pool-model.test.ts",
  "test/pools/threads.test.ts",
  "test/sound-memory.test.ts",
  "test/decoding/detect-language.test.ts",
  "test/real-speech.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((file) => moduleId.endsWith(file));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

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
    sequence: { sequencer: LongestFirst },
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
