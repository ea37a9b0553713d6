/** Icons of a 24-by-24 grid, drawn with strokes. Nodes, so that no policy has anything to say about them. */
export const launcherIcons: Record<string, string> = {
  'speech-bubble': 'M21 11.5a8.4 8.4 0 0 1-12.2 7.5L3 21l2-5.8A8.4 8.4 0 1 1 21 11.5z',
  chat: 'M3 4h13v9H8l-5 4zM19 9h2v12l-4-4h-6',
  question: 'M9 8a3 3 0 1 1 3 4v2M12 18h.01',
  sparkle: 'M12 3l2 7 7 2-7 2-2 7-2-7-7-2 7-2z',
  headset: 'M4 14v-2a8 8 0 0 1 16 0v2M4 14h3v6H4zM17 14h3v6h-3z',
  robot: 'M5 9h14v10H5zM12 9V5M9 13v2M15 13v2',
};

export const chevron = 'M6 9l6 6 6-6';

const SVG = 'http://www.w3.org/2000/svg';

export function icon(path: string, size = 24): SVGSVGElement {
  const make = <K extends 'svg' | 'path'>(tag: K, attributes: Record<string, string | number>): SVGElementTagNameMap[K] => {
    const element = document.createElementNS(SVG, tag);
    for (const name in attributes) element.setAttribute(name, String(attributes[name]));
    return element;
  };
  const svg = make('svg', { viewBox: '0 0 24 24', width: size, height: size, 'aria-hidden': 'true' });
  svg.append(make('path', { d: path, fill: 'none', stroke: 'currentColor', 'stroke-width': 2, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' }));
  return svg;
}
