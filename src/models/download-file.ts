import type { ExpectedFile, ModelStore, PartialFile } from "../adapters/model-store.ts";
import { DownloadError } from "../core/errors.ts";
import { createPatience, type Exchange, type HubConnection, request, type Setback } from "./hub-requests.ts";

/** An attempt that brought fewer new bytes than this counts as one that came to nothing. */
const PROGRESS_BYTES = 64 * 1024;

/** One file to be downloaded. */
export interface Download {
  readonly url: string;
  /** Where it is put, a path of the store. */
  readonly path: string;
  readonly expected: ExpectedFile;
  /** Told the bytes that are here, and how many of them came just now. */
  readonly onBytes: (fileBytes: number, received: number) => void;
}

/** State of a download over its attempts. */
interface Attempts {
  /** What the server called the content that the bytes here are of. */
  etag: string | null;
  /** Whether what is here came in several pieces, of which one may be of something else. */
  pieced: boolean;
}

/** First byte and length of the whole, from a Content-Range header (RFC 9110, 14.4); undefined when it has neither. */
function contentRange(header: string | null): { start: number; total: number | undefined } | undefined {
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header ?? "");
  if (!match) return undefined;
  return { start: Number(match[1]), total: match[2] === "*" ? undefined : Number(match[2]) };
}

/** Whether the bytes of this answer go on where those that are here end. If not, they are thrown away. */
async function fits(
  { response: { status, headers } }: Exchange,
  part: PartialFile,
  { size }: ExpectedFile,
  attempts: Attempts,
): Promise<boolean> {
  const etag = headers.get("ETag");
  const changed = attempts.etag !== null && etag !== null && etag !== attempts.etag;
  attempts.etag = etag;
  if (part.size === 0) return status === 200;
  const range = contentRange(headers.get("Content-Range"));
  const goesOn =
    status === 206 && range?.start === part.size && (range.total === undefined || range.total === size);
  if (goesOn && !changed) return true;
  await part.clear();
  attempts.pieced = false;
  // A server that knows no ranges sends all from the start, which does as well.
  return status === 200;
}

/** Reads the body of an answer into the file; what went wrong, or undefined when it is complete. */
async function receive(
  exchange: Exchange,
  part: PartialFile,
  { url, expected, onBytes }: Download,
): Promise<Setback | undefined> {
  const reader = exchange.response.body?.getReader();
  for (;;) {
    let chunk: Uint8Array | undefined;
    try {
      chunk = (await reader?.read())?.value;
    } catch (cause) {
      return exchange.setback(cause);
    }
    if (chunk === undefined) break;
    exchange.alive();
    // More than there should be shows in the digest too, but must not fill the disk first.
    if (part.size + chunk.length > expected.size) throw await tooLong(url, part, expected);
    await part.write(chunk);
    onBytes(part.size, chunk.length);
  }
  if (part.size === expected.size) return undefined;
  return exchange.setback(new Error(`it ended after ${part.size} of ${expected.size} bytes`));
}

async function tooLong(url: string, part: PartialFile, { size }: ExpectedFile): Promise<DownloadError> {
  await part.clear();
  return new DownloadError(
    "wrong-bytes",
    `${url} sends more than the ${size} bytes that the hub tells; try again, or give another hub (HF_ENDPOINT)`,
  );
}

/** One request for what is missing. */
async function attempt(
  download: Download,
  part: PartialFile,
  attempts: Attempts,
  connection: HubConnection,
): Promise<Setback | undefined> {
  const { url, expected } = download;
  const headers: Record<string, string> = {};
  if (connection.token !== undefined) headers.Authorization = `Bearer ${connection.token}`;
  if (part.size > 0) {
    headers.Range = `bytes=${part.size}-`;
    attempts.pieced = true;
  }
  const answer = await request(url, { headers }, connection);
  if ("error" in answer) return answer;
  try {
    if (await fits(answer, part, expected, attempts)) return await receive(answer, part, download);
    return answer.setback(
      new Error(`it answers ${answer.response.status} to a request from byte ${part.size}`),
    );
  } finally {
    answer.end();
  }
}

/**
 * Downloads a file into the store: goes on where an earlier attempt, or process, has left off, tries again after what
 * may pass, and puts it in its place only when its digest is the one that the hub tells.
 *
 * @throws DownloadError when it cannot be fetched, or what comes has another digest, and is removed then.
 * @throws ModelNotFoundError when the server has no such file; FileError when it cannot be written; the signal's reason.
 */
export async function downloadFile(
  download: Download,
  store: ModelStore,
  connection: HubConnection,
): Promise<void> {
  const { url, path, expected, onBytes } = download;
  const part = await store.open(path, expected);
  try {
    const patience = createPatience(connection);
    const attempts: Attempts = { etag: null, pieced: part.size > 0 };
    let restarted = false;
    // Only what no attempt has reached before is progress, or a server whose file is too short would have no end.
    let furthest = part.size;
    onBytes(part.size, 0);
    for (;;) {
      while (part.size < expected.size) {
        const setback = await attempt(download, part, attempts, connection);
        if (part.size >= furthest + PROGRESS_BYTES) {
          furthest = part.size;
          patience.renew();
        }
        if (setback) await patience.wait(setback);
      }
      const digest = await part.digest();
      if (digest === expected.digest) return await part.commit();
      await part.clear();
      if (!attempts.pieced || restarted) throw wrongDigest(url, digest, expected);
      // The pieces may have been of different contents; once more from the start.
      restarted = true;
      furthest = 0;
      attempts.pieced = false;
      attempts.etag = null;
    }
  } finally {
    await part.close();
  }
}

function wrongDigest(url: string, digest: string, { digestKind, digest: told }: ExpectedFile): DownloadError {
  const kind = digestKind === "sha256" ? "SHA-256" : "git SHA-1";
  return new DownloadError(
    "wrong-bytes",
    `${url} came with ${kind} ${digest}, but the hub tells ${told}; it was removed: try again, or give another hub (HF_ENDPOINT)`,
  );
}
