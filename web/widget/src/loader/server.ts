/** Where the server is: `data-host`, else where the script came from, also below a path. */
import { httpUrl } from './settings.ts';

export interface Server {
  /** No slash at the end. */
  url: string;
  /** The folder of the widget's files. */
  assets: string;
}

export const PATH = '/static/modules/scaibot/';

export function serverOf(host: string | undefined, src: string): Server {
  const given = host && httpUrl(host);
  if (given) {
    const url = given.replace(/\/+$/, '');
    return { url, assets: url + PATH };
  }
  const assets = new URL('.', src || location.href).href;
  return { assets, url: assets.endsWith(PATH) ? assets.slice(0, -PATH.length) : new URL(assets).origin };
}
