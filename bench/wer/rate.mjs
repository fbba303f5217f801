/** Samples a second of Whisper's input. */
export const RATE = 16000;
