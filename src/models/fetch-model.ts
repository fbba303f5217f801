import { adapter } from "#adapter";
import { ModelNotFoundError } from "../core/errors.ts";
import { downloadFile } from "./download-file.ts";
import { createProgressMeter, type DownloadProgress } from "./download-progress.ts";
import { listRepository } from "./hub-repository.ts";
import { type HubOptions, hubConnection } from "./hub-requests.ts";
import { DEFAULT_REVISION } from "./known-models.ts";
import { repositoryDirectory, requireCache } from "./model-cache.ts";
import { type DtypeOption, dtypeChoices } from "./model-dtype.ts";
import { chooseLayout, type ModelFiles, modelFiles } from "./model-layout.ts";

/** How a model is fetched from the hub. */
export interface FetchOptions extends HubOptions {
  /** Type of the weights. Default "auto": the first of q8, fp32, q4, fp16, q4f16 that the repository has. */
  dtype?: DtypeOption | undefined;
  /** Branch, tag or commit of the repository. Default "main". */
  revision?: string | undefined;
  /** Told how far the download has come, ten times a second at most. */
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/**
 * Brings a repository's model into the cache: lists it, and downloads the files that are not here yet or are others
 * there. Several processes may ask for the same one at once; the later ones wait.
 *
 * @param name what the caller calls the model
 * @param repository "owner/name"
 * @throws ModelNotFoundError when there is no such repository or revision, it may not be read, or it lacks a file.
 * @throws DownloadError when the hub cannot be reached, or a file cannot be fetched, or has wrong bytes.
 * @throws FileError when the cache cannot be written, such as on a full disk; the signal's reason when aborted.
 */
export async function fetchModel(
  name: string,
  repository: string,
  options: FetchOptions = {},
): Promise<ModelFiles> {
  const choices = dtypeChoices(options.dtype);
  const connection = hubConnection(options, (variable) => adapter.environment(variable));
  const { directory: cache, store } = requireCache();
  const revision = options.revision ?? DEFAULT_REVISION;
  const { commit, files, url } = await listRepository(repository, revision, connection);
  const layout = await chooseLayout((path) => files.has(path), choices);
  if (typeof layout === "string") {
    throw new ModelNotFoundError(
      `${connection.hubUrl}/${repository} (${commit}) has no ${layout}; give another dtype, or a repository in the ONNX layout`,
    );
  }
  const directory = repositoryDirectory(cache, repository, revision);
  const totalBytes = layout.paths.reduce((sum, path) => sum + files.get(path)!.size, 0);
  const meter = createProgressMeter(totalBytes, options.onProgress);
  await store.lock(directory, options.signal, async () => {
    for (const path of layout.paths) {
      options.signal?.throwIfAborted();
      const expected = files.get(path)!;
      const target = adapter.join(directory, path);
      if (await store.holds(target, expected)) {
        meter.advance(path, expected.size);
        continue;
      }
      const onBytes = (fileBytes: number, received: number) => meter.advance(path, fileBytes, received);
      await downloadFile({ url: url(path), path: target, expected, onBytes }, store, connection);
      meter.report();
    }
  });
  meter.report();
  return modelFiles(name, directory, "hub", layout);
}
