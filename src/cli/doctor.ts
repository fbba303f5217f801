import { adapter } from "#adapter";
import { runtimeFeatures } from "../adapters/runtime-features.ts";
import { createCore } from "../core/create-core.ts";
import { WavepoolError } from "../core/errors.ts";
import { executionProvider, inferenceThreads } from "../inference/web-session.ts";
import { findModel } from "../models/model-files.ts";

export interface DoctorFlags {
  model: string;
}

/** `wavepool doctor`: what the runtime offers, and the model and provider that would be used. */
export async function doctorCommand(flags: DoctorFlags): Promise<void> {
  const features = await runtimeFeatures();
  const yes = (value: boolean) => (value ? "yes" : "no");
  const rows: [string, string][] = [
    ["runtime", adapter.runtime],
    ["cores", String(adapter.cores)],
    ["Wasm SIMD", yes(features.simd)],
    ["relaxed SIMD", yes(features.relaxedSimd)],
    ["Wasm threads", yes(features.threads)],
    ["shared memory", yes(features.sharedMemory)],
    ["WebGPU", features.webgpu],
    ["WebNN", features.webnn],
    ["core", await coreState()],
    ["model", await modelState(flags.model)],
    ["provider", `${executionProvider}, ${inferenceThreads} thread${inferenceThreads === 1 ? "" : "s"}`],
  ];
  for (const [name, value] of rows) process.stdout.write(`${name.padEnd(15)}${value}\n`);
}

async function coreState(): Promise<string> {
  try {
    const core = await createCore();
    return `works, ${core.memoryBytes / 2 ** 20} MiB, ${core.threads ? "threads" : "plain"} build`;
  } catch (error) {
    return `does not work: ${(error as Error).message}`;
  }
}

/** A missing model is a finding, not a failure of the doctor. */
async function modelState(name: string): Promise<string> {
  try {
    const model = await findModel(name, { offline: true });
    return `${model.name} from ${model.origin} ${model.directory}`;
  } catch (error) {
    if (error instanceof WavepoolError) return `none: ${error.message}`;
    throw error;
  }
}
