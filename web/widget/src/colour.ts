/** Just enough of colour to keep text readable on a colour that an operator chose. */
export type Rgb = readonly [number, number, number];

/** Reads what `getComputedStyle` says of a colour; undefined where it is transparent or of a form that we do not know. */
export function rgb(computed: string): Rgb | undefined {
  const srgb = computed.startsWith('color(srgb');
  if (!srgb && !computed.startsWith('rgb')) return undefined;
  const [r = 0, g = 0, b = 0, a = 1] = (computed.match(/[\d.]+(?:e-?\d+)?/g) ?? []).map(Number);
  const unit = srgb ? 255 : 1;
  return a === 0 ? undefined : [r * unit, g * unit, b * unit];
}

/** Relative luminance of WCAG 2, 0–1. */
export function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((v) =>
    v <= 10.31 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
  ) as unknown as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: Rgb, b: Rgb): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}
