import { poolHealth } from "../pools/health.ts";
import { poolStatistics } from "../pools/pool-statistics.ts";
import type { SpeechEngine } from "./engine/engine.ts";

/** Whether the service is well. */
export interface ServiceHealth {
  status: "healthy" | "degraded" | "draining";
  /** What is wrong, in words. */
  reasons: string[];
}

/** What else bears on health. */
export interface HealthFacts {
  draining: boolean;
  /** Requests in the house, and as many as it takes. */
  admitted: number;
  places: number;
}

/** A part of the places that is taken, above which the queue is called long. */
const LONG_QUEUE = 0.8;
/** A part of the room for uploads, above which it is under pressure. */
const PRESSED = 0.9;

/** Judges pools, leaks, queue, room and the model's thread. */
export function serviceHealth(
  engine: SpeechEngine,
  { draining, admitted, places }: HealthFacts,
): ServiceHealth {
  const { uploadBytes, maxUploadBytes, modelsLoaded, models } = engine.stats();
  const pressure =
    uploadBytes > PRESSED * maxUploadBytes
      ? [`uploads hold ${uploadBytes} of ${maxUploadBytes} bytes; raise memory`]
      : [];
  const reasons: string[] = [];
  if (modelsLoaded === 0) reasons.push("the model is not loaded");
  else if (modelsLoaded < models) reasons.push(`${modelsLoaded} of ${models} threads have the model loaded`);
  if (admitted >= LONG_QUEUE * places) reasons.push(`queue: ${admitted} of ${places} places are taken`);
  for (const { place, core } of engine.pools()) {
    const pools = poolHealth(poolStatistics(core), []).reasons;
    reasons.push(...pools.map((reason) => `${place}: ${reason}`));
  }
  reasons.push(...pressure.map((reason) => `pressure: ${reason}`));
  for (const { place, pool, leases } of engine.leaks()) {
    reasons.push(`leak: ${leases} leases of "${pool}" (${place}) are out and nothing runs`);
  }
  const status = draining ? "draining" : reasons.length === 0 ? "healthy" : "degraded";
  return { status, reasons: draining ? ["the service is shutting down", ...reasons] : reasons };
}
