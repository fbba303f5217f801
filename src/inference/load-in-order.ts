import { type InferenceError, messageOf } from "../core/errors.ts";
import { webNnDevices } from "./devices.ts";
import type { GraphOptions } from "./encoder.ts";
import { type PassedOver, providerOrder, softwareWillDo } from "./providers.ts";
import type { Session } from "./session.ts";

/** What loads an encoder or a decoder. */
export interface GraphLoaders<T, O> {
  /** On WebNN, which takes fixed sizes only. */
  fixed(options: O): Promise<T>;
  /** On providers that take any size, one after another within one session. */
  free(options: O): Promise<T>;
  /** On the providers that are left. */
  rest(options: O): Promise<T>;
  /** What moves to those once, when its own provider fails in a run. */
  movable(first: T, move: (cause: InferenceError) => Promise<T>): T;
}

/**
 * Loads a graph on the first provider that exists and takes it, and records those that are passed over.
 *
 * @throws whatever the last loader throws, when no provider takes the graph.
 */
export async function loadInOrder<
  T extends { readonly session: Pick<Session, "provider"> },
  O extends GraphOptions,
>(graph: "encoder" | "decoder", given: O, load: GraphLoaders<T, O>): Promise<T> {
  const order = providerOrder(given.providers);
  const options = { ...given, software: softwareWillDo(given) };
  const webNn = order.indexOf("webnn");
  const count = webNn === 0 ? 1 : webNn < 0 ? order.length : webNn;
  const rest = order.slice(count);
  const loadRest = () => load.rest({ ...options, providers: rest });
  let told = false;
  const onPassedOver = (passed: PassedOver) => {
    told = true;
    options.onPassedOver?.(passed);
  };
  let first: T;
  try {
    // Asked before the file is read and edited, for most browsers have none.
    if (webNn === 0) await webNnDevices();
    const own = { ...options, providers: order.slice(0, count), onPassedOver };
    first = await (webNn === 0 ? load.fixed(own) : load.free(own));
  } catch (error) {
    if (rest.length === 0) throw error;
    // Where there is no such provider, or the graph cannot be edited for it, it is not tried.
    if (!told) onPassedOver({ graph, provider: order[0]!, reason: messageOf(error) });
    return loadRest();
  }
  if (rest.length === 0) return first;
  return load.movable(first, async (cause) => {
    const { provider } = first.session;
    options.onPassedOver?.({ graph, provider, reason: `failed in a run: ${cause.message}` });
    return loadRest();
  });
}
