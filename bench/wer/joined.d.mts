export interface Utterance {
  words: string;
  start: number;
  end: number;
}
export interface Segment {
  start: number;
  end: number;
  text: string;
}
export interface Right {
  count: number;
  right: number;
  share: number;
  median: number;
  worst: number;
}
export function joinClips(
  clips: { samples: Float32Array; words: string }[],
  seed?: number,
): { samples: Float32Array; utterances: Utterance[] };
export function speechIn(samples: Float32Array): { from: number; to: number };
export function judge(
  joined: { utterances: Utterance[] },
  transcription: { text: string; segments?: Segment[] },
  spellings?: Record<string, string>,
): {
  joints?: Right & { all: number };
  pauses?: Right;
  near?: Right;
  lost: number[];
  misheard: number[];
  repeated: string[];
  added: string[];
};
export function memorySlope(memory: [number, number][]): number;
