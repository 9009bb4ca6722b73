/** The values at an axis's marks: 0, then round steps of 1, 2 or 5, up to the first that holds `max`. */
export function axisMarks(max: number, wanted = 4): readonly number[] {
  if (!(max > 0)) return [0, 1];
  const step = roundStep(max / wanted);
  const count = Math.ceil(max / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

/** The next 1, 2 or 5 times a power of ten; counts have no fractions, so 1 at least. */
function roundStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw - 1e-9);
  return Math.max(1, step ?? 10 * power);
}
