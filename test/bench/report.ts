/** One measured figure, and what it is compared with in the same run. */
export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** A peer or a floor, measured in the same unit and the same run. */
  peer?: { what: string; value: number };
  /** What design and docs/performance.md aim at; printed, never asserted. */
  goal?: string;
}

/** What a benchmark gets: how large to be, and where to say what it found. */
export interface Bench {
  /** 1 for the sizes of docs/performance.md, less for a quick look. */
  scale: number;
  /** A size at this run's scale, and never less than `least`. */
  sized(full: number, least: number): number;
  figure(figure: Figure): void;
  note(text: string): void;
}

/** Prints as figures come, so that a long run shows where it is. */
export function createBench(scale: number): Bench {
  return {
    scale,
    sized: (full, least) => Math.max(least, Math.round(full * scale)),
    figure: (figure) => console.log(formatFigure(figure)),
    note: (text) => console.log(`  ${text}`),
  };
}

/** A number as a person reads it: three digits where there are decimals, thousands apart. */
export function formatNumber(value: number): string {
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en-GB", { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

function formatFigure({ what, value, unit, peer, goal }: Figure): string {
  const ratio =
    peer === undefined
      ? ""
      : `${(value / peer.value).toFixed(2)} × ${formatNumber(peer.value)} (${peer.what})`;
  const columns = [
    what.padEnd(52),
    `${formatNumber(value).padStart(11)} ${unit.padEnd(6)}`,
    ratio.padEnd(46),
  ];
  return `  ${columns.join("  ")}${goal === undefined ? "" : `  goal ${goal}`}`.trimEnd();
}
