import { listen as listenHere } from "../adapters/listen.node.ts";
import type { Service, ServiceReport } from "./service.ts";

/** Where to listen. */
export interface ServeOptions {
  /** 8080 by default; 0 for any that is free. */
  port?: number;
  /** Address to listen at; this machine alone by default. */
  host?: string;
  /** Milliseconds that an upload may take, as the service was told. */
  uploadTimeout?: number;
}

/** A service that listens. */
export interface Listening {
  readonly port: number;
  /** Accepts nothing more, lets what runs finish for so many milliseconds, and ends the service. Default 30 s. */
  close(timeout?: number): Promise<ServiceReport>;
}

/** Milliseconds that are left for the answers once the service has ended. */
const FLUSH = 2_000;

/**
 * Listens for a service, on whichever of the runtimes this is.
 *
 * @throws whatever the runtime throws when it cannot listen there.
 */
export async function listen(service: Service, options: ServeOptions = {}): Promise<Listening> {
  const { port = 8080, host = "127.0.0.1", uploadTimeout = 600_000 } = options;
  const listening = await listenHere((request, client, gone) => service.fetch(request, client, gone), {
    port,
    host,
    requestTimeout: uploadTimeout + 60_000,
  });
  let closing: Promise<ServiceReport> | undefined;
  return {
    port: listening.port,
    close(timeout = 30_000) {
      closing ??= (async () => {
        service.drain();
        const ended = service.close(timeout);
        let flushed: ReturnType<typeof setTimeout> | undefined;
        const deadline = ended.then(
          () =>
            new Promise<void>((resolve) => {
              flushed = setTimeout(resolve, FLUSH);
            }),
        );
        const [report] = await Promise.all([ended, listening.close(deadline)]);
        clearTimeout(flushed);
        return report;
      })();
      return closing;
    },
  };
}
