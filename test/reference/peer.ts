import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const DIST = new URL("../../bench/node_modules/@huggingface/transformers/dist/", import.meta.url);

/** A tensor of transformers.js. */
export interface PeerTensor {
  readonly type: string;
  readonly dims: number[];
  readonly data: Float32Array | BigInt64Array;
  readonly [index: number]: PeerTensor;
  dispose(): void;
}

/** A feature extractor of transformers.js. */
export interface PeerExtractor {
  (audio: unknown, options?: object): Promise<Record<string, PeerTensor>>;
  _call(audio: unknown, options?: object): Promise<Record<string, PeerTensor>>;
  // biome-ignore lint/suspicious/noExplicitAny: whatever preprocessor_config.json holds
  config: any;
}

/** A processor of transformers.js. */
export interface PeerProcessor {
  (audio: Float32Array): Promise<Record<string, PeerTensor>>;
  readonly feature_extractor: PeerExtractor;
  readonly components: { feature_extractor: PeerExtractor };
}

/** Its pipeline from sound to text. */
export interface PeerPipeline {
  (audio: Float32Array, options?: object): Promise<{ text: string; chunks?: { text: string }[] }>;
  readonly processor: PeerProcessor;
  dispose(): Promise<void>;
}

type ExtractorClass = new (config: object) => PeerExtractor;

/** What the tests use of transformers.js, whose own types are not there without it. */
export interface Peer {
  env: { allowRemoteModels: boolean; localModelPath: string; logLevel: number };
  Tensor: new (...args: unknown[]) => PeerTensor;
  AutoProcessor: { from_pretrained(model: string): Promise<PeerProcessor> };
  pipeline(task: string, model: string, options: object): Promise<PeerPipeline>;
  WhisperFeatureExtractor: ExtractorClass;
  ParakeetFeatureExtractor: ExtractorClass;
  CohereAsrFeatureExtractor: ExtractorClass;
  SeamlessM4TFeatureExtractor: ExtractorClass;
  WeSpeakerFeatureExtractor: ExtractorClass;
  ASTFeatureExtractor: ExtractorClass;
  Wav2Vec2FeatureExtractor: ExtractorClass;
  MoonshineFeatureExtractor: ExtractorClass;
  GraniteSpeechFeatureExtractor: ExtractorClass;
}

/** Whether the peers of bench/package.json are installed. */
export const PEER_INSTALLED = existsSync(new URL("transformers.node.mjs", DIST));

/** A copy of transformers.js: each file is one, the minified one with other names of its classes. */
export function loadPeer(file = "transformers.node.mjs"): Promise<Peer> {
  return import(pathToFileURL(fileURLToPath(new URL(file, DIST))).href);
}
