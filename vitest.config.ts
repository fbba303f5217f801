import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    // onnxruntime-web starts threads of its own, which worker threads inside one process would share.
    pool: "forks",
    // Two cores: each model test loads a gigabyte and uses both.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
