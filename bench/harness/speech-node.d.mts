export interface Loader {
  name: string;
  kind: string;
  lacks?: string;
}
export function speechHere(
  wavepool: object,
  peers: boolean,
  directory: string | undefined,
): Promise<{ text: string; samples: Float32Array; loaders: Loader[] }>;
