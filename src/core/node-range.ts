/**
 * Whether a version of Node is one that `engines` in package.json names: `^22.22.2 || ^24.15.0 || >=26`, the two
 * comparators that are used there. A version that is no version is in no range.
 */
export function isInRange(version: string, range: string): boolean {
  const found = partsOf(version);
  return found !== null && range.split("||").some((comparator) => fits(found, comparator.trim()));
}

type Parts = readonly [number, number, number];

function fits(found: Parts, comparator: string): boolean {
  const [, operator, text = ""] = /^(\^|>=)([\d.]+)$/.exec(comparator) ?? [];
  const floor = partsOf(text);
  if (operator === undefined || floor === null) return false;
  return compare(found, floor) >= 0 && (operator === ">=" || found[0] === floor[0]);
}

function partsOf(text: string): Parts | null {
  const [, major, minor = "0", patch = "0"] = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(text) ?? [];
  return major === undefined ? null : [Number(major), Number(minor), Number(patch)];
}

function compare(a: Parts, b: Parts): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
