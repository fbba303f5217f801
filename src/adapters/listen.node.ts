/** Listening for HTTP on Node (by @hono/node-server), Deno and Bun, each by its own server. */
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/**
 * Answers a request; `client` is the address it came from, where that is known, and `gone` aborts when its connection ends, where
 * the request's own signal does not always tell.
 */
export type Handler = (
  request: Request,
  client: string | undefined,
  gone?: AbortSignal,
) => Response | Promise<Response>;

/** Where to listen. */
export interface ListenOptions {
  /** 0 for any that is free. */
  port: number;
  host: string;
  /** Milliseconds that a request may take to arrive. */
  requestTimeout: number;
}

/** A server at work. */
export interface Listening {
  readonly port: number;
  /** Accepts nothing more; resolves when all requests are answered, or cut off once `deadline` has come. */
  close(deadline: Promise<void>): Promise<void>;
}

/**
 * Begins to listen.
 *
 * @throws whatever the runtime throws when the port is taken or the address is none.
 */
export function listen(handler: Handler, options: ListenOptions): Promise<Listening> {
  if ("Deno" in globalThis) return listenOnDeno(handler, options);
  if ("Bun" in globalThis) return listenOnBun(handler, options);
  return listenOnNode(handler, options);
}

async function listenOnNode(
  handler: Handler,
  { port, host, requestTimeout }: ListenOptions,
): Promise<Listening> {
  const { createAdaptorServer } = await import("@hono/node-server");
  // Of requests that were sent one behind the other on a connection, only the one at work is told of its end.
  const ends = new WeakMap<Socket, AbortSignal>();
  function endOf(socket: Socket): AbortSignal {
    const known = ends.get(socket);
    if (known) return known;
    const end = new AbortController();
    socket.once("close", () => end.abort());
    ends.set(socket, end.signal);
    return end.signal;
  }
  const server = createAdaptorServer({
    fetch(request, env) {
      const { socket } = env.incoming;
      return handler(request, socket.remoteAddress, endOf(socket)) as Promise<Response>;
    },
    // A library is not to replace the program's own Request and Response.
    overrideGlobalObjects: false,
    serverOptions: { requestTimeout },
  }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: (deadline) =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        void deadline.then(() => server.closeAllConnections());
      }),
  };
}

interface DenoServer {
  addr: { port: number };
  shutdown(): Promise<void>;
}
interface DenoRuntime {
  serve(
    options: { port: number; hostname: string; signal: AbortSignal; onListen: () => void },
    handler: (request: Request, info: { remoteAddr: { hostname?: string } }) => Response | Promise<Response>,
  ): DenoServer;
}

async function listenOnDeno(handler: Handler, { port, host }: ListenOptions): Promise<Listening> {
  const { Deno } = globalThis as unknown as { Deno: DenoRuntime };
  const cut = new AbortController();
  const server = Deno.serve(
    { port, hostname: host, signal: cut.signal, onListen: () => {} },
    (request, info) => handler(request, info.remoteAddr.hostname),
  );
  return {
    port: server.addr.port,
    close: (deadline) => inTime(server.shutdown(), deadline, () => cut.abort()),
  };
}

interface BunServer {
  port: number;
  requestIP(request: Request): { address: string } | null;
  stop(closeActive?: boolean): Promise<void>;
}
interface BunRuntime {
  serve(options: {
    port: number;
    hostname: string;
    idleTimeout: number;
    maxRequestBodySize: number;
    fetch(request: Request, server: BunServer): Response | Promise<Response>;
  }): BunServer;
}

async function listenOnBun(handler: Handler, { port, host }: ListenOptions): Promise<Listening> {
  const { Bun } = globalThis as unknown as { Bun: BunRuntime };
  const server = Bun.serve({
    port,
    hostname: host,
    // Its own, of ten seconds, would end requests that wait their turn; ours are in the service.
    idleTimeout: 0,
    // Beyond its own limit it breaks the connection without an answer; the service counts as bytes come.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: (request, self) => handler(request, self.requestIP(request)?.address),
  });
  return {
    port: server.port,
    close: (deadline) => inTime(server.stop(), deadline, () => void server.stop(true)),
  };
}

async function inTime(done: Promise<void>, deadline: Promise<void>, cut: () => void): Promise<void> {
  let over = false;
  const late = deadline.then(() => {
    if (!over) cut();
  });
  await Promise.race([done, late]);
  over = true;
}
