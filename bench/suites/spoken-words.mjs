/** Whether a text is that of the clip. */
import { editDistance } from "../wer/error-rate.mjs";

/** Of the words of a clip that a machine spoke. */
export const ALLOWED_ERRORS = 0.34;
const words = (text) => text.toLowerCase().match(/[a-z']+/g) ?? [];

/** Wrong, missing and added words by those that were spoken. */
export const wordErrors = (spoken, heard) => editDistance(words(spoken), words(heard)) / words(spoken).length;
