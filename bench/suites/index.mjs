/** The suites that run in any runtime, in the order of the report. */
import fft from "./fft.mjs";
import inference from "./inference.mjs";
import mel from "./mel.mjs";
import pools from "./pools.mjs";
import resample from "./resample.mjs";
import ring from "./ring.mjs";
import stream from "./stream.mjs";
import transcription from "./transcription.mjs";

export const SUITES = { pools, mel, fft, stream, resample, ring, inference, transcription };
