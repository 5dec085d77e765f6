/** The known name that was probably meant, or null when nothing is near: at most two edits, and fewer than half the letters. */
export function nearestName(typed: string, known: Iterable<string>): string | null {
  const wanted = typed.toLowerCase();
  let best: { name: string; edits: number } | null = null;
  for (const name of known) {
    const edits = editDistance(wanted, name.toLowerCase());
    const near = edits <= 2 && edits * 2 < Math.max(wanted.length, 2) + 1;
    if (near && (best === null || edits < best.edits)) best = { name, edits };
  }
  return best?.name ?? null;
}

/** Optimal string alignment: insertions, deletions, replacements and swaps of neighbours. Long input counts as far away. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Infinity;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
