/** Whether a text is that of the clip. */
import { editDistance } from "../wer/error-rate.mjs";

/** Tiny hears the sample's fifteen words; up to three may be written otherwise ("half past 7"), or heard so by another backend. */
export const ALLOWED_ERRORS = 0.2;
const words = (text) => text.toLowerCase().match(/[a-z']+/g) ?? [];

/** Wrong, missing and added words by those that were spoken. */
export const wordErrors = (spoken, heard) => editDistance(words(spoken), words(heard)) / words(spoken).length;
