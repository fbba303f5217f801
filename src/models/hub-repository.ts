import type { ExpectedFile } from "../adapters/model-store.ts";
import { DownloadError, messageOf, WavepoolError } from "../core/errors.ts";
import { type HubConnection, hubFetch } from "./hub-requests.ts";

/** A repository of the hub at one commit. */
export interface HubRepository {
  /** "owner/name". */
  readonly name: string;
  /** The commit that the revision named when the files were listed; the revision itself where a hub does not tell. */
  readonly commit: string;
  /** Lengths and digests of its files by their paths. */
  readonly files: ReadonlyMap<string, ExpectedFile>;
  /** Where a file's bytes are. */
  url(path: string): string;
}

const SHA256 = /^[0-9a-f]{64}$/;
const SHA1 = /^[0-9a-f]{40}$/;

/**
 * Lists a repository with the hub's own client. Everything after that refers to one commit, so that the files belong
 * together though someone pushes in between.
 *
 * The bytes are then fetched from the `resolve` URL and not with `downloadFile` of the client: that one neither goes
 * on with what is here nor checks digests, does not try again, and takes files below 1 MB, and all files of servers
 * without ranges, as a whole into memory (WebBlob.ts). Nor is the URL asked of `fileDownloadInfo`: it costs a request
 * a file for what the tree has told, and throws where a server knows no ranges. Files on Xet storage come through
 * the same URL as ordinary bytes, with ranges.
 *
 * @throws ModelNotFoundError when there is no such repository or revision, or it may not be read.
 * @throws DownloadError when the hub cannot be reached, or does not answer as it should.
 */
export async function listRepository(
  name: string,
  revision: string,
  connection: HubConnection,
): Promise<HubRepository> {
  const { listFiles, modelInfo } = await import("../adapters/hub-api.ts");
  const access = {
    hubUrl: connection.hubUrl,
    fetch: hubFetch(connection),
    ...(connection.token === undefined ? {} : { accessToken: connection.token }),
  };
  const files = new Map<string, ExpectedFile>();
  let commit: string;
  try {
    const { sha } = await modelInfo({ ...access, name, revision, additionalFields: ["sha"] });
    commit = typeof sha === "string" && SHA1.test(sha) ? sha : revision;
    const entries = listFiles({
      ...access,
      repo: name,
      revision: encodeURIComponent(commit),
      recursive: true,
    });
    for await (const { type, path, size, oid, lfs } of entries) {
      if (type !== "file") continue;
      if (lfs && SHA256.test(lfs.oid)) {
        files.set(path, { size: lfs.size, digestKind: "sha256", digest: lfs.oid });
      } else if (oid && SHA1.test(oid)) {
        files.set(path, { size, digestKind: "git-sha1", digest: oid });
      }
    }
  } catch (cause) {
    if (cause instanceof WavepoolError) throw cause;
    connection.signal?.throwIfAborted();
    throw new DownloadError(
      "refused",
      `${connection.hubUrl} does not answer as a hub does for ${name} (${messageOf(cause)}); check hubUrl (HF_ENDPOINT)`,
      { cause },
    );
  }
  const base = `${connection.hubUrl}/${name}/resolve/${encodeURIComponent(commit)}`;
  return { name, commit, files, url: (path) => `${base}/${path}` };
}
