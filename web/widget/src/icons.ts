/** Icons of a 24-by-24 grid. Nodes, so that no policy has anything to say about them; drawn by the sheet they stand under. */
const make = <K extends 'svg' | 'path'>(tag: K, attribute: string, value: string): SVGElementTagNameMap[K] => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  element.setAttribute(attribute, value);
  return element;
};

export const strokes = 'svg{fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}';

export function icon(path: string): SVGSVGElement {
  const svg = make('svg', 'viewBox', '0 0 24 24');
  svg.append(make('path', 'd', path));
  return svg;
}
