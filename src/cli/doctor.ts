import type { Command } from "commander";
import { adapter } from "#adapter";
import { detectFeatures } from "../adapters/runtime-features.ts";
import { createCore } from "../core/create-core.ts";
import { WavepoolError } from "../core/errors.ts";
import { loadDecoder } from "../inference/decoder.ts";
import { loadEncoder } from "../inference/encoder.ts";
import { type ProviderState, probeProvider } from "../inference/provider-probe.ts";
import { DEFAULT_PROVIDERS, PROVIDERS } from "../inference/providers.ts";
import type { ProviderName } from "../inference/session.ts";
import { findModel, type ModelFiles } from "../models/model-files.ts";
import { readWhisperConfig } from "../models/whisper-config.ts";

export interface DoctorFlags {
  model: string;
}

/**
 * `wavepool doctor`: what the runtime offers, and the model and providers that would be used. With a model named on
 * the command line each provider loads it.
 */
export async function doctorCommand(flags: DoctorFlags, command: Command): Promise<void> {
  const features = await detectFeatures();
  const yes = (value: boolean) => (value ? "yes" : "no");
  const rows: [string, string][] = [
    ["runtime", adapter.runtime],
    ["cores", String(adapter.cores)],
    ["Wasm SIMD", yes(features.simd)],
    ["relaxed SIMD", yes(features.relaxedSimd)],
    ["Wasm threads", yes(features.threads)],
    ["shared memory", yes(features.sharedMemory)],
    ["JSPI", yes(features.jspi)],
    ["WebGPU", features.webgpu],
    ["WebNN", features.webnn],
    ["core", await coreState()],
  ];
  const model = await lookForModel(flags.model);
  rows.push([
    "model",
    typeof model === "string" ? model : `${model.name} from ${model.origin} ${model.directory}`,
  ]);
  const load =
    typeof model !== "string" && command.getOptionValueSource("model") === "cli" ? model : undefined;
  rows.push(...(await providerRows(load)));
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
async function lookForModel(name: string): Promise<ModelFiles | string> {
  try {
    return await findModel(name, { offline: true });
  } catch (error) {
    if (error instanceof WavepoolError) return `none: ${error.message}`;
    throw error;
  }
}

/** A row for each provider, and one for the first that would be tried and exists or takes the model. */
async function providerRows(model: ModelFiles | undefined): Promise<[string, string][]> {
  const rows: [string, string][] = [];
  const states = new Map<ProviderName, ProviderState>();
  for (const provider of PROVIDERS) {
    const { exists, detail } = await probeProvider(provider);
    const refusal = exists && model ? await compile(model, provider) : undefined;
    const works = exists && refusal === undefined;
    states.set(provider, { exists: works, detail });
    const loads = refusal ?? "loads the model";
    rows.push([`  ${provider}`, exists ? `${detail}${model ? `; ${loads}` : ""}` : `no: ${detail}`]);
  }
  const first = DEFAULT_PROVIDERS.find((provider) => states.get(provider)?.exists);
  return [["provider", first ? `${first}, ${states.get(first)!.detail}` : "none"], ...rows];
}

/** Loads encoder and decoder on one provider: undefined when it takes both, or why not. */
async function compile(files: ModelFiles, provider: ProviderName): Promise<string | undefined> {
  const refusals: string[] = [];
  const load = async (graph: string, open: () => Promise<{ release(): Promise<void> }>) => {
    try {
      await (await open()).release();
    } catch (error) {
      if (!(error instanceof WavepoolError)) throw error;
      refusals.push(`${graph}: ${error.message}`);
    }
  };
  const options = { providers: [provider] };
  await load("encoder", async () => loadEncoder(files.encoder, await readWhisperConfig(files), options));
  const core = await createCore({ threads: false });
  await load("decoder", async () =>
    loadDecoder(core, files.decoder, await readWhisperConfig(files), options),
  );
  return refusals.length === 0 ? undefined : `does not load the model's ${refusals.join("; ")}`;
}
