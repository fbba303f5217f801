export interface Contention {
  handle: object;
  pairs: number;
  work: "pool" | "new";
}
export function contend(wavepool: object, data: Contention): () => number;
