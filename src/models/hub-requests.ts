/** Requests to the hub: which answers end the matter, which are worth another try, and when. */
import { DownloadError, InvalidArgumentError, ModelNotFoundError, messageOf } from "../core/errors.ts";

/** How the hub is reached. */
export interface HubConnection {
  /** Base URL without a slash at its end. */
  readonly hubUrl: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Attempts in a row that may come to nothing before it is given up, and milliseconds before the second one. */
  readonly retries: number;
  readonly retryDelay: number;
  /** Milliseconds without a byte after which a connection is taken for dead. */
  readonly idleTimeout: number;
}

/** A request that came to nothing but may do better the next time. */
export interface Setback {
  readonly error: DownloadError;
  /** Milliseconds that the server asks to wait. */
  readonly retryAfter?: number | undefined;
}

/** One request at work. */
export interface Exchange {
  readonly response: Response;
  /** Says that bytes have come, so that the connection is not taken for dead. */
  alive(): void;
  /** What it is that has gone wrong, when reading the body throws. Rethrows the caller's abort. */
  setback(cause: unknown): Setback;
  /** Ends the request; must be called. */
  end(): void;
}

/** Answers that may be others a moment later. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Longest wait that a server is granted; beyond it the user should decide. */
const MAX_WAIT_MS = 120_000;
const GROWTH = 2;

/** Why a request failed: `fetch` hides it in the cause. */
function networkReason(cause: unknown): string {
  const inner = cause instanceof Error ? cause.cause : undefined;
  const code = (inner as { code?: unknown } | undefined)?.code;
  if (typeof code === "string") return code;
  return messageOf(inner ?? cause);
}

/** Milliseconds from a Retry-After header: seconds or a date (RFC 9110, 10.2.3). */
export function retryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? 1000 * seconds : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** A URL as messages show it; the hub's client asks for many fields in the query. */
function shown(url: string): string {
  return url.replace(/\?.*/, "");
}

/** An answer that asking again does not change. */
function refusal(url: string, { status, headers }: Response, { hubUrl, token }: HubConnection): Error {
  const detail = headers.get("X-Error-Message") ?? headers.get("X-Error-Code");
  const answer = `${shown(url)} answers ${status}${detail ? ` (${detail})` : ""}`;
  if (status === 401 || status === 403) {
    const remedy =
      token === undefined
        ? `check the name, or accept its terms on ${hubUrl} and give a token (HF_TOKEN)`
        : `check the name, and on ${hubUrl} that the token's account may read it`;
    return new ModelNotFoundError(
      `${answer}: there is no such repository, or it is private or gated; ${remedy}`,
    );
  }
  if (status === 404 || status === 410) {
    return new ModelNotFoundError(
      `${answer}: there is no such repository, revision or file; check the names`,
    );
  }
  return new DownloadError("refused", `${answer}; try again later, or give another hub (HF_ENDPOINT)`);
}

/**
 * Sends a request once.
 *
 * @returns the answer when it is a success, or what came instead and may pass
 * @throws ModelNotFoundError, DownloadError for answers that another request does not change; the signal's reason.
 */
export async function request(
  url: string,
  init: RequestInit,
  connection: HubConnection,
): Promise<Exchange | Setback> {
  const { signal, idleTimeout } = connection;
  signal?.throwIfAborted();
  const controller = new AbortController();
  let idle = false;
  const expire = () => {
    idle = true;
    controller.abort();
  };
  let timer = setTimeout(expire, idleTimeout);
  const abort = () => controller.abort();
  signal?.addEventListener("abort", abort, { once: true });
  const end = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    controller.abort(); // also what is left of a body that is not wanted
  };
  const setback = (cause: unknown, reason: "unreachable" | "interrupted"): Setback => {
    signal?.throwIfAborted();
    const why = idle ? `nothing came for ${idleTimeout / 1000} s` : networkReason(cause);
    const what = reason === "unreachable" ? "cannot be reached" : "broke off";
    const remedy = "check the network and try again: what has come is kept";
    return { error: new DownloadError(reason, `${shown(url)} ${what} (${why}); ${remedy}`, { cause }) };
  };
  let response: Response;
  try {
    // The browser's own cache would keep everything a second time, and asks for ranges that we do not expect.
    response = await fetch(url, { ...init, cache: "no-store", signal: controller.signal });
  } catch (cause) {
    end();
    return setback(cause, "unreachable");
  }
  if (response.ok || response.status === 416) {
    return {
      response,
      alive() {
        clearTimeout(timer);
        timer = setTimeout(expire, idleTimeout);
      },
      setback: (cause) => setback(cause, "interrupted"),
      end,
    };
  }
  end();
  if (!PASSING.has(response.status)) throw refusal(url, response, connection);
  const wait = retryAfter(response.headers.get("Retry-After"));
  const detail = response.headers.get("X-Error-Message");
  const error = new DownloadError(
    "refused",
    `${shown(url)} answers ${response.status}${detail ? ` (${detail})` : ""}; try again ${
      wait === undefined ? "later" : `in ${Math.ceil(wait / 1000)} s`
    }: what has come is kept`,
  );
  return { error, retryAfter: wait };
}

/** Waits; rejects with the signal's reason when it is aborted. */
function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Counts the attempts in a row that came to nothing, and waits longer after each. */
export function createPatience(connection: HubConnection) {
  let failures = 0;
  return {
    /** After an attempt that brought the work on. */
    renew() {
      failures = 0;
    },
    /**
     * After one that did not.
     *
     * @throws the setback's error when there were too many; the signal's reason.
     */
    async wait({ error, retryAfter: asked }: Setback): Promise<void> {
      failures++;
      if (failures > connection.retries || (asked ?? 0) > MAX_WAIT_MS) throw error;
      await sleep(asked ?? connection.retryDelay * GROWTH ** (failures - 1), connection.signal);
    },
  };
}

/**
 * A `fetch` for the hub's client: it tries again what may pass, and throws our errors for all that is no success, so
 * that the client only ever sees whole answers.
 */
export function hubFetch(connection: HubConnection): typeof fetch {
  return async (input, init = {}) => {
    const patience = createPatience(connection);
    for (;;) {
      const answer = await request(String(input), init, connection);
      if ("error" in answer) {
        await patience.wait(answer);
        continue;
      }
      const { response } = answer;
      try {
        const body = await response.arrayBuffer();
        return new Response(body, { status: response.status, headers: response.headers });
      } catch (cause) {
        await patience.wait(answer.setback(cause));
      } finally {
        answer.end();
      }
    }
  };
}

/** Options of a connection as callers give them. */
export interface HubOptions {
  /** Base URL of the hub, or of a mirror. Default: HF_ENDPOINT of the environment, else https://huggingface.co. */
  hubUrl?: string | undefined;
  /** Access token for private and gated repositories, "hf_…". Default: HF_TOKEN of the environment. */
  token?: string | undefined;
  /** Attempts in a row that may come to nothing before a download is given up. Default 5. */
  retries?: number | undefined;
  /** Milliseconds before the first of them; doubled with each. Default 500. */
  retryDelay?: number | undefined;
  /** Milliseconds without a byte after which a connection is taken for dead. Default 30 000. */
  idleTimeout?: number | undefined;
  /** Ends the download; what has come is kept for the next time. */
  signal?: AbortSignal | undefined;
}

const HUB_URL = "https://huggingface.co";

/**
 * Checks the options and fills in what they leave open.
 *
 * @param environment reads a variable of the environment
 * @throws InvalidArgumentError naming the option and its value.
 */
export function hubConnection(
  options: HubOptions,
  environment: (name: string) => string | undefined,
): HubConnection {
  const hubUrl = (options.hubUrl ?? (environment("HF_ENDPOINT") || HUB_URL)).replace(/\/+$/, "");
  if (!/^https?:\/\/./.test(hubUrl)) {
    throw new InvalidArgumentError(`hubUrl is ${JSON.stringify(hubUrl)}; give a URL such as ${HUB_URL}`);
  }
  const token = options.token ?? (environment("HF_TOKEN") || undefined);
  if (token !== undefined && !token.startsWith("hf_")) {
    throw new InvalidArgumentError(
      'the access token (token, HF_TOKEN) does not begin with "hf_"; copy it again',
    );
  }
  const count = (name: "retries" | "retryDelay" | "idleTimeout", byDefault: number): number => {
    const value = options[name] ?? byDefault;
    if (typeof value === "number" && value >= 0 && value < 2 ** 31) return value;
    throw new InvalidArgumentError(`${name} is ${String(value)}; give a number that is not negative`);
  };
  return {
    hubUrl,
    token,
    signal: options.signal,
    retries: count("retries", 5),
    retryDelay: count("retryDelay", 500),
    idleTimeout: count("idleTimeout", 30_000),
  };
}
