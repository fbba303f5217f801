import * as ort from "#onnxruntime";
import { InvalidArgumentError, LeaseError, messageOf } from "../core/errors.ts";
import { createDeviceSession } from "./device-session.ts";
import { reasonOf } from "./host-session.ts";
import { createNativeSession } from "./native-session.ts";
import { ProviderLostError } from "./provider-lost.ts";
import type { GraphBytes, ProviderName, Session, SessionOptions } from "./session.ts";
import type { Tensor } from "./tensor.ts";
import { createWebSession, type WebSessionOptions } from "./web-session.ts";

/** All execution providers, best first. */
export const PROVIDERS: readonly ProviderName[] = ["webnn", "webgpu", "native", "wasm"];

/** Those that are tried in this runtime unless the caller names others. */
export const DEFAULT_PROVIDERS: readonly ProviderName[] = ort.DEFAULT_PROVIDERS;

/** A provider that would have come first, and why it does not run the graph. */
export interface PassedOver {
  readonly graph: SessionOptions["graph"];
  readonly provider: ProviderName;
  readonly reason: string;
}

/** Which provider runs what, and why no better one does. */
export interface ProviderReport {
  readonly encoder: ProviderName;
  readonly decoder: ProviderName;
  readonly passedOver: readonly PassedOver[];
}

/** Which providers may run a graph. */
export interface ProviderOptions {
  /** Providers to try, in order; "auto", the default, for {@link DEFAULT_PROVIDERS}. */
  readonly providers?: readonly ProviderName[] | "auto";
  /** Told of each provider that does not run the graph, when it is loaded and when it fails later. */
  readonly onPassedOver?: (passed: PassedOver) => void;
}

/** How {@link createSession} loads a graph. */
export type CreateSessionOptions = Omit<WebSessionOptions, "externalData"> & ProviderOptions;

/**
 * Loads a graph on the first provider that exists here and takes it. When that provider fails in a run, the
 * graph moves once, to the next that takes it, and the run is repeated there.
 *
 * @param load the graph's bytes, or what reads them, with the files of its weights: it may be called again, for the move
 * @throws InvalidArgumentError when `providers` is empty or names one that there is not.
 * @throws ModelFormatError, UnsupportedRuntimeError of the last provider, when none takes the graph.
 */
export async function createSession(
  load: Uint8Array | (() => Promise<Uint8Array | GraphBytes>),
  given: CreateSessionOptions,
): Promise<Session> {
  const order = providerOrder(given.providers);
  const options = { ...given, software: softwareWillDo(given) };
  const read = async () => {
    const loaded = load instanceof Uint8Array ? load : await load();
    return loaded instanceof Uint8Array ? { bytes: loaded, externalData: [] } : loaded;
  };
  const [session, place] = await firstThatTakes(await read(), order, options);
  const rest = order.slice(place + 1);
  if (rest.length === 0) return session;
  return movable(session, options.graph, async (cause) => {
    options.onPassedOver?.({
      graph: options.graph,
      provider: session.provider,
      reason: `failed in a run: ${messageOf(cause)}`,
    });
    const [next] = await firstThatTakes(await read(), rest, options);
    return next;
  });
}

/** Whether a GPU in software will do: where the caller says so, or names the providers. */
export function softwareWillDo({
  providers,
  software,
}: Pick<CreateSessionOptions, "providers" | "software">): boolean {
  return software ?? (providers !== undefined && providers !== "auto");
}

/** Which providers are tried, in which order. */
export function providerOrder(providers: ProviderOptions["providers"]): readonly ProviderName[] {
  if (providers === undefined || providers === "auto") return DEFAULT_PROVIDERS;
  const wrong = Array.isArray(providers) ? providers.find((name) => !PROVIDERS.includes(name)) : providers;
  if (wrong !== undefined || providers.length === 0) {
    throw new InvalidArgumentError(
      `providers: ${JSON.stringify(providers)} is neither "auto" nor a list of ${PROVIDERS.join(", ")}`,
    );
  }
  return providers;
}

async function firstThatTakes(
  graph: GraphBytes,
  order: readonly ProviderName[],
  options: CreateSessionOptions,
): Promise<[Session, number]> {
  let last: unknown;
  for (const [place, provider] of order.entries()) {
    try {
      return [await open(provider, graph, options), place];
    } catch (cause) {
      last = cause;
      options.onPassedOver?.({ graph: options.graph, provider, reason: messageOf(cause) });
    }
  }
  throw last;
}

function open(
  provider: ProviderName,
  { bytes, externalData }: GraphBytes,
  given: CreateSessionOptions,
): Promise<Session> {
  const options = { ...given, externalData };
  switch (provider) {
    case "native":
      return createNativeSession(bytes, options);
    case "wasm":
      return createWebSession(bytes, options);
    default:
      return createDeviceSession(provider, bytes, options);
  }
}

/** A session that moves to another provider, once, when its own fails. */
export function movable(
  first: Session,
  graph: SessionOptions["graph"],
  move: (cause: unknown) => Promise<Session>,
): Session {
  let current = first;
  let moving: Promise<Session> | undefined;

  async function repeat(
    cause: unknown,
    feeds: Readonly<Record<string, Tensor>>,
    fetches: readonly string[],
  ): Promise<Record<string, Tensor>> {
    moving ??= move(cause);
    const attempt = moving;
    try {
      current = await attempt;
    } catch (error) {
      // No other provider takes the graph either, which is reported: the failure itself tells most. The next run
      // tries the first provider again.
      if (moving === attempt) moving = undefined;
      throw cause ?? error;
    }
    const again: Record<string, Tensor> = {};
    for (const [name, tensor] of Object.entries(feeds)) again[name] = await readBack(tensor);
    return current.run(again, fetches);
  }

  async function readBack(tensor: Tensor): Promise<Tensor> {
    if (tensor.location === "host" || tensor.location === "runtime") return tensor;
    try {
      return current.tensor(tensor.type, await tensor.read(), tensor.dims);
    } catch (cause) {
      throw new ProviderLostError(
        `${first.provider} was lost with the ${graph}'s tensors (${reasonOf(cause)}); run the window again`,
        { cause },
      );
    }
  }

  return {
    get provider() {
      return current.provider;
    },
    get device() {
      return current.device;
    },
    get inputs() {
      return current.inputs;
    },
    get outputs() {
      return current.outputs;
    },
    tensor: (type, data, dims) => current.tensor(type, data, dims),
    async run(feeds, fetches) {
      if (moving) return repeat(undefined, feeds, fetches);
      try {
        return await first.run(feeds, fetches);
      } catch (cause) {
        if (cause instanceof LeaseError) throw cause;
        return repeat(cause, feeds, fetches);
      }
    },
    async release() {
      const moved = await moving?.catch(() => undefined);
      if (!moved) return first.release();
      await moved.release();
      try {
        await first.release();
      } catch {
        // Its provider is lost, and with it all that there was to release.
      }
    },
  };
}

/** Which provider runs what, now. */
export function providerReport(
  encoder: Pick<Session, "provider">,
  decoder: Pick<Session, "provider">,
  passedOver: readonly PassedOver[],
): ProviderReport {
  return { encoder: encoder.provider, decoder: decoder.provider, passedOver: [...passedOver] };
}
