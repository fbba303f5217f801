import { type Cue, createCueLayout } from "./cues.ts";
import { formatTime } from "./format-time.ts";
import type { FormatOptions, FormatWriter } from "./format-writer.ts";

/** What looks like the arrow between two times; with more dashes it would look so after the replacement. */
const ARROW = /--+>/g;

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/**
 * Writes SubRip (.srt) as openai/whisper `WriteSRT`: numbered cues, times as "hh:mm:ss,mmm", "-->" in a text as
 * "->". Where the reference would break the file, blank lines within a text are left out.
 */
export function createSrtWriter(options: FormatOptions): FormatWriter {
  const layout = createCueLayout(options);
  let number = 0;
  const write = (cues: Cue[]) =>
    cues.map((cue) => `${++number}\n${cueLines(cue, "always", ",", withoutArrows)}`).join("");
  return {
    begin: () => "",
    segment: (segment) => write(layout.add(segment)),
    end: () => write(layout.flush()),
  };
}

/**
 * Writes WebVTT (.vtt) as openai/whisper `WriteVTT`: times as "[hh:]mm:ss.mmm", "-->" in a text as "->". The
 * reference writes "&", "<" and ">" as they are, which the standard (W3C WebVTT, "cue text span" and "cue
 * payload text") reads as references, tags and arrows; here they are "&amp;", "&lt;" and "&gt;", so that
 * players show what was said.
 */
export function createVttWriter(options: FormatOptions): FormatWriter {
  const layout = createCueLayout(options);
  const escaped = (text: string) => withoutArrows(text).replace(/[&<>]/g, (sign) => ENTITIES[sign]!);
  const write = (cues: Cue[]) => cues.map((cue) => cueLines(cue, "from-one", ".", escaped)).join("");
  return {
    begin: () => "WEBVTT\n\n",
    segment: (segment) => write(layout.add(segment)),
    end: () => write(layout.flush()),
  };
}

function cueLines(
  { start, end, parts, said }: Cue,
  hours: "always" | "from-one",
  mark: "." | ",",
  escaped: (text: string) => string,
): string {
  const text =
    said === undefined
      ? escaped(parts.join(""))
      : parts.map((part, i) => (i === said ? underlined(escaped(part)) : escaped(part))).join("");
  const lines = withoutBlankLines(withoutArrows(text));
  return `${formatTime(start, hours, mark)} --> ${formatTime(end, hours, mark)}\n${lines}\n\n`;
}

/** The space or line break before a word stays outside. */
function underlined(word: string): string {
  return word.replace(/^(\s*)(.*)$/s, "$1<u>$2</u>");
}

function withoutArrows(text: string): string {
  return text.replace(ARROW, "->");
}

/** A blank line would end the cue in both formats. */
function withoutBlankLines(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/\n\s*\n/g, "\n");
}
