import type { Panel, PanelHost } from '../seam.ts';

export function createPanel(_host: PanelHost): Panel {
  throw new Error('x');
}
