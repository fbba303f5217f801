import type { PoolStatistics, StageTimes } from "wavepool";

/** Shows how pools and stages do. */
export interface Meters {
  pools(pools: readonly PoolStatistics[]): void;
  figures(values: Readonly<Record<string, string>>): void;
}

/** Milliseconds of the stages, for people. */
export function stageFigures(times: StageTimes): Record<string, string> {
  const { audio, mel, encoder, decoder } = times;
  const entries = Object.entries({ Audio: audio, Mel: mel, Encoder: encoder, Decoder: decoder });
  return Object.fromEntries(
    entries.map(([stage, ms]) => [stage, `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`]),
  );
}

export function createMeters(poolRows: HTMLElement, figureList: HTMLElement): Meters {
  return {
    pools(pools) {
      const rows = pools.map(({ name, inUse, peakInUse, max, acquires, hitRate }) => {
        const row = document.createElement("tr");
        const head = document.createElement("th");
        head.scope = "row";
        head.textContent = name;
        row.append(head);
        const rate = acquires === 0 ? "–" : `${(100 * hitRate).toFixed(1)} %`;
        for (const value of [inUse, peakInUse, max, rate]) row.insertCell().textContent = String(value);
        return row;
      });
      poolRows.replaceChildren(...rows);
    },
    figures(values) {
      const parts = Object.entries(values).flatMap(([name, value]) => {
        const term = document.createElement("dt");
        const figure = document.createElement("dd");
        term.textContent = name;
        figure.textContent = value;
        return [term, figure];
      });
      figureList.replaceChildren(...parts);
    },
  };
}
