import { adapter } from "#adapter";
import type { ModelStore, StoredFile } from "../adapters/model-store.ts";
import { ModelNotFoundError, UnsupportedRuntimeError } from "../core/errors.ts";
import { DEFAULT_REVISION, knownModel, MODEL_NAMES, shortName } from "./known-models.ts";
import { graphFiles, MODEL_DTYPES, type ModelDtype } from "./model-dtype.ts";

/** A model that is here: an installed npm package, or one in the cache. */
export interface InstalledModel {
  /** Name or repository to ask for it by. */
  readonly name: string;
  readonly origin: "package" | "cache";
  /** Revision of the repository; undefined for packages and models that someone has put into the cache by hand. */
  readonly revision: string | undefined;
  /** Weights of which both graphs are here. */
  readonly dtypes: readonly ModelDtype[];
  /** Bytes of all its files, unfinished downloads among them. */
  readonly bytes: number;
  /** Bytes of downloads that have not come to their end. */
  readonly unfinishedBytes: number;
  /** Its directory. */
  readonly path: string;
}

/** The cache and what writes it. */
export interface ModelCache {
  readonly directory: string;
  readonly store: ModelStore;
}

/** The cache, if this runtime has a place for one. */
export function modelCache(): ModelCache | undefined {
  const { modelCache: directory, modelStore: store } = adapter;
  return directory !== undefined && store ? { directory, store } : undefined;
}

/**
 * The cache of a runtime that must have one.
 *
 * @throws UnsupportedRuntimeError
 */
export function requireCache(): ModelCache {
  const cache = modelCache();
  if (cache) return cache;
  throw new UnsupportedRuntimeError(
    "this page has no storage to keep a model in (it is not a secure context); serve it over https, or give the URL of a model",
  );
}

/** Where the cache keeps a revision of a repository: `owner/name/revision`, a slash in the revision escaped. */
export function repositoryDirectory(
  directory: string,
  repository: string,
  revision: string | undefined,
): string {
  return adapter.join(directory, `${repository}/${encodeURIComponent(revision ?? DEFAULT_REVISION)}`);
}

/** Directories in the cache that may hold a model, best first: that of its repository, then the cache's older form. */
export function cachedDirectories(
  directory: string,
  name: string,
  repository: string,
  revision: string | undefined,
): string[] {
  const older = name !== repository && revision === undefined ? [adapter.join(directory, name)] : [];
  return [repositoryDirectory(directory, repository, revision), ...older];
}

function describeFiles(
  files: readonly StoredFile[],
): Pick<InstalledModel, "dtypes" | "bytes" | "unfinishedBytes"> {
  const complete = new Set(files.filter((file) => !file.partial).map((file) => file.path));
  const sum = (some: readonly StoredFile[]) => some.reduce((bytes, file) => bytes + file.size, 0);
  return {
    dtypes: MODEL_DTYPES.filter((dtype) =>
      (["encoder", "decoder"] as const).every((graph) =>
        graphFiles(graph, dtype).some(({ path }) => complete.has(path)),
      ),
    ),
    bytes: sum(files),
    unfinishedBytes: sum(files.filter((file) => file.partial)),
  };
}

/** Name and revision of a model in the cache, from its directory's path in it. */
function identify(path: string): Pick<InstalledModel, "name" | "revision"> {
  const [owner, repository, revision] = path.split("/");
  if (revision === undefined) return { name: path, revision: undefined };
  const name = `${owner}/${repository}`;
  return { name: shortName(name) ?? name, revision: decodeURIComponent(revision) };
}

async function listCache({ directory, store }: ModelCache): Promise<InstalledModel[]> {
  const byModel = new Map<string, StoredFile[]>();
  for (const file of await store.list(directory)) {
    // The directory of a model is the one above onnx/, or that of its JSON files.
    const model = file.path.replace(/\/(onnx\/)?[^/]+$/, "");
    if (model === file.path) continue; // some file in the cache itself
    const files = byModel.get(model) ?? [];
    files.push({ ...file, path: file.path.slice(model.length + 1) });
    byModel.set(model, files);
  }
  return [...byModel].map(([model, files]) => ({
    ...identify(model),
    origin: "cache",
    ...describeFiles(files),
    path: adapter.join(directory, model),
  }));
}

async function listPackages(store: ModelStore): Promise<InstalledModel[]> {
  const models: InstalledModel[] = [];
  for (const name of MODEL_NAMES) {
    const { npm } = knownModel(name)!;
    const installed = npm && adapter.findPackage(npm.name);
    if (!installed) continue;
    const path = adapter.join(installed, npm.directory);
    const files = await store.list(path);
    models.push({ name, origin: "package", revision: undefined, ...describeFiles(files), path });
  }
  return models;
}

/**
 * Lists the models that are here: installed npm packages and the cache, unfinished downloads among them. Never uses
 * the network.
 *
 * @throws FileError when the cache cannot be read.
 */
export async function listModels(): Promise<InstalledModel[]> {
  const cache = modelCache();
  return cache ? [...(await listPackages(cache.store)), ...(await listCache(cache))] : [];
}

/**
 * Removes a model from the cache, with what unfinished downloads have left; npm packages stay.
 *
 * @param name name or repository
 * @param revision one revision; all of them by default
 * @returns what was removed
 * @throws ModelNotFoundError when there is none in the cache.
 * @throws FileError when a file of it cannot be removed.
 */
export async function removeModel(
  name: string,
  { revision, signal }: { revision?: string | undefined; signal?: AbortSignal | undefined } = {},
): Promise<InstalledModel[]> {
  const cache = requireCache();
  const repository = knownModel(name)?.repository ?? name;
  const wanted = (model: InstalledModel) =>
    (model.name === name || (knownModel(model.name)?.repository ?? model.name) === repository) &&
    (revision === undefined || model.revision === revision);
  const found = (await listCache(cache)).filter(wanted);
  if (found.length === 0) {
    const npm = knownModel(name)?.npm;
    const installed = npm && adapter.findPackage(npm.name);
    throw new ModelNotFoundError(
      `there is no model "${name}"${revision === undefined ? "" : ` of revision ${revision}`} in ${cache.directory}; ` +
        (installed ? `run "npm uninstall ${npm.name}" for the npm package` : 'see "wavepool models list"'),
    );
  }
  for (const { path } of found) {
    // Not under the feet of a download.
    await cache.store.lock(path, signal, () => cache.store.remove(path));
  }
  return found;
}
