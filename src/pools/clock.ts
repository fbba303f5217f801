const origin = globalThis.performance?.timeOrigin;

/**
 * Milliseconds since 1970, to the microsecond where the runtime tells (an audio worklet has only Date).
 * One zero for all agents, so that one may time a lease that another began.
 */
export const clock: () => number = origin === undefined ? Date.now : () => origin + performance.now();
