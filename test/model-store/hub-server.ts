import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** Files of a repository by their paths. */
export type Repository = Map<string, Buffer>;

/** How a body is sent when it is not sent as it should be. */
export interface Sending {
  /** Breaks the connection after so many bytes of the body. */
  cutAt?: number;
  /** As a server that knows no ranges. */
  ranges?: boolean;
  /** What is sent instead of the file. */
  body?: Buffer;
  etag?: string;
}

/** A request that arrived. */
export interface Arrival {
  /** Of the API, of a file on the hub, or of its bytes on the content delivery network. */
  kind: "api" | "resolve" | "bytes";
  /** Path of the file, or of the API. */
  path: string;
  /** First byte that was asked for. */
  from: number | undefined;
  request: IncomingMessage;
  response: ServerResponse;
}

/** Answers a request, or says how its body is to be sent; undefined for all as it should be. */
export type Behaviour = (
  arrival: Arrival,
) => "answered" | Sending | undefined | Promise<"answered" | undefined>;

/** A hub on this machine. */
export interface Hub {
  url: string;
  repositories: Map<string, Repository>;
  /** All requests so far. */
  log: Omit<Arrival, "request" | "response">[];
  authorizations: (string | undefined)[];
  behave: Behaviour;
  close(): Promise<void>;
}

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
/** Entries of the tree in one answer: few, so that the client has to follow the links to the next. */
const PAGE = 3;

export const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
export const gitSha1 = (bytes: Buffer) =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

/** Whether the hub keeps a file with Git LFS, and so knows its SHA-256. */
const isLarge = (path: string) => /\.onnx(_data(_\d+)?)?$/.test(path);

/** All files of a directory as a repository. */
export async function repositoryOf(directory: string): Promise<Repository> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files: Repository = new Map();
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(directory.length + 1), await readFile(path));
  }
  return files;
}

/** Sends bytes as content delivery networks do: ranges, strong ETags, the length of the whole. */
function sendBytes(arrival: Arrival, file: Buffer, sending: Sending): void {
  const { response, from } = arrival;
  const body = sending.body ?? file;
  response.setHeader("ETag", sending.etag ?? `"${createHash("md5").update(body).digest("hex")}"`);
  const ranged = from !== undefined && sending.ranges !== false;
  if (ranged && from >= body.length) {
    response.writeHead(416, { "Content-Range": `bytes */${body.length}` }).end();
    return;
  }
  if (ranged) {
    response.statusCode = 206;
    response.setHeader("Content-Range", `bytes ${from}-${body.length - 1}/${body.length}`);
  }
  if (sending.ranges !== false) response.setHeader("Accept-Ranges", "bytes");
  const part = ranged ? body.subarray(from) : body;
  response.setHeader("Content-Length", part.length);
  if (sending.cutAt === undefined) {
    response.end(part);
    return;
  }
  response.write(part.subarray(0, sending.cutAt), () => {
    // The bytes before the cut are to arrive.
    setTimeout(() => response.destroy(), 5);
  });
}

function answerApi(hub: Hub, url: URL, response: ServerResponse): void {
  const match = /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\/([^/]+)$/.exec(url.pathname);
  const files = match && hub.repositories.get(match[1]!);
  const revision = match && decodeURIComponent(match[3]!);
  if (!files || (revision !== "main" && revision !== COMMIT)) {
    // As the hub does: whoever is not logged in is not told what there is.
    response.writeHead(files ? 404 : 401, {
      "X-Error-Code": files ? "RevisionNotFound" : "RepoNotFound",
      "X-Error-Message": files ? `Invalid rev id: ${revision}` : "Invalid username or password.",
    });
    response.end();
    return;
  }
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  if (match[2] === "revision") {
    response.end(
      JSON.stringify({
        _id: "1",
        id: match[1],
        sha: COMMIT,
        private: false,
        gated: false,
        downloads: 1,
        likes: 1,
      }),
    );
    return;
  }
  const entries = [...files].map(([path, bytes]) => ({
    type: "file",
    // For a large file git keeps a pointer, of which this would be the name.
    oid: isLarge(path) ? gitSha1(Buffer.from(path)) : gitSha1(bytes),
    size: bytes.length,
    path,
    ...(isLarge(path) ? { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 134 } } : {}),
  }));
  const start = Number(url.searchParams.get("cursor") ?? 0);
  if (start + PAGE < entries.length) {
    url.searchParams.set("cursor", String(start + PAGE));
    response.setHeader("Link", `<${url.href}>; rel="next"`);
  }
  response.end(
    JSON.stringify([
      { type: "directory", oid: COMMIT, size: 0, path: "onnx" },
      ...entries.slice(start, start + PAGE),
    ]),
  );
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Starts a hub that serves the paths of huggingface.co, and its content delivery network on an origin of its own. */
export async function startHub(repositories: Record<string, Repository>): Promise<Hub> {
  let networkUrl = "";
  const serve = (network: boolean) =>
    createServer(async (request, response) => {
      response.setHeader("Access-Control-Allow-Origin", "*");
      response.setHeader("Access-Control-Allow-Headers", "authorization, range");
      response.setHeader("Cross-Origin-Resource-Policy", "cross-origin");
      response.setHeader(
        "Access-Control-Expose-Headers",
        "ETag, Link, Content-Range, X-Error-Code, X-Error-Message",
      );
      if (request.method === "OPTIONS") return response.writeHead(204).end();
      const url = new URL(request.url!, network ? networkUrl : hub.url);
      const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
      const file = /^\/(?:cdn\/)?([^/]+\/[^/]+)\/(?:resolve|files)\/([^/]+)\/(.+)$/.exec(url.pathname);
      const api = url.pathname.startsWith("/api/");
      const arrival: Arrival = {
        kind: api ? "api" : network ? "bytes" : "resolve",
        path: api ? url.pathname : (file?.[3] ?? ""),
        from: range ? Number(range[1]) : undefined,
        request,
        response,
      };
      hub.log.push({ kind: arrival.kind, path: arrival.path, from: arrival.from });
      if (!network) hub.authorizations.push(request.headers.authorization);
      else if (request.headers.authorization) throw new Error("the token was sent to another origin");
      const behaviour = await hub.behave(arrival);
      if (behaviour === "answered") return;
      if (api) return answerApi(hub, url, response);
      const bytes = file && hub.repositories.get(file[1]!)?.get(file[3]!);
      if (!bytes) {
        return response
          .writeHead(404, { "X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found" })
          .end();
      }
      response.setHeader("X-Repo-Commit", COMMIT);
      if (!network && isLarge(arrival.path)) {
        response.writeHead(302, {
          Location: `${networkUrl}/cdn/${file![1]}/files/${file![2]}/${file![3]}`,
          "X-Linked-Size": bytes.length,
          "X-Linked-ETag": `"${sha256(bytes)}"`,
        });
        return response.end();
      }
      sendBytes(arrival, bytes, behaviour ?? {});
    });
  const [main, network] = [serve(false), serve(true)];
  const hub: Hub = {
    url: await listen(main),
    repositories: new Map(Object.entries(repositories)),
    log: [],
    authorizations: [],
    behave: () => undefined,
    async close() {
      for (const server of [main, network]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
  networkUrl = await listen(network);
  return hub;
}
