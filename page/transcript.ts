import type { Segment } from "wavepool";

/** The list of what was heard. */
export interface TranscriptView {
  add(segment: Segment): void;
  /** What is being said, and may change. */
  partial(text: string): void;
  clear(): void;
}

/** Minutes and seconds, as players show them. */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const pad = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  const rest = `${pad(minutes % 60)}:${pad(whole % 60)}`;
  return minutes < 60 ? rest : `${Math.floor(minutes / 60)}:${rest}`;
}

/** How sure the model was of a segment: the geometric mean of its tokens' probabilities. */
export function confidence({ avgLogprob }: Pick<Segment, "avgLogprob">): number {
  return Math.exp(Math.min(0, avgLogprob ?? 0));
}

export function createTranscript(
  list: HTMLElement,
  partial: HTMLElement,
  empty: HTMLElement,
): TranscriptView {
  function element(name: string, text: string, className = ""): HTMLElement {
    const made = document.createElement(name);
    made.textContent = text;
    if (className !== "") made.className = className;
    return made;
  }
  return {
    add(segment) {
      const item = document.createElement("li");
      const time = element("time", clock(segment.start)) as HTMLTimeElement;
      time.dateTime = `PT${segment.start.toFixed(2)}S`;
      const sure = Math.round(100 * confidence(segment));
      const share = element("span", `${sure} %`, "confidence");
      share.title = "How sure the model is";
      item.append(time, element("p", segment.text.trim()), share);
      list.append(item);
      partial.textContent = "";
      empty.hidden = true;
      item.scrollIntoView({ block: "nearest" });
    },
    partial(text) {
      partial.textContent = text;
      if (text !== "") empty.hidden = true;
    },
    clear() {
      list.replaceChildren();
      partial.textContent = "";
      empty.hidden = false;
    },
  };
}
