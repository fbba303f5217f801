/** Garbage collections as people read them, by how many an item takes: "8.1", or "1 in 330,000"; nothing for none. */
export function garbageRate(perItem) {
  if (!(perItem > 0)) return "";
  if (perItem >= 1) return perItem.toFixed(1);
  return `1 in ${Number((1 / perItem).toPrecision(2)).toLocaleString("en-US")}`;
}
