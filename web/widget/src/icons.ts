/** Icons of a 24-by-24 grid, drawn with strokes. Nodes, so that no policy has anything to say about them. */
export const launcherIcons: Record<string, string> = {
  'speech-bubble': 'M21 11.5a8.4 8.4 0 0 1-12.2 7.5L3 21l2-5.8A8.4 8.4 0 1 1 21 11.5z',
  chat: 'M14 10a2 2 0 0 1-2 2H6l-4 4V4a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2zM18 9h2a2 2 0 0 1 2 2v11l-4-4h-6a2 2 0 0 1-2-2v-1',
  question: 'M9.1 9a3 3 0 0 1 5.8 1c0 2-3 3-3 3M12 17h.01M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20z',
  sparkle: 'M12 3l1.9 5.1L19 10l-5.1 1.9L12 17l-1.9-5.1L5 10l5.1-1.9zM19 15v4M17 17h4',
  headset: 'M3 14h3a2 2 0 0 1 2 2v3a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-7a9 9 0 0 1 18 0v7a2 2 0 0 1-2 2h-1a2 2 0 0 1-2-2v-3a2 2 0 0 1 2-2h3',
  robot: 'M12 8V4H8M6 8h12a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2zM2 14h2M20 14h2M15 13v2M9 13v2',
};

export const chevron = 'M6 9l6 6 6-6';

const SVG = 'http://www.w3.org/2000/svg';

export function icon(path: string, size = 24): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  const set = (e: Element, attributes: Record<string, string | number>): void => {
    for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, String(value));
  };
  set(svg, { viewBox: '0 0 24 24', width: size, height: size, fill: 'none', stroke: 'currentColor', 'aria-hidden': 'true' });
  set(svg, { 'stroke-width': 2, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' });
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
