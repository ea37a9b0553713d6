/** Where the server is: `data-host`, else where the script came from, also below a path. */
export interface Server {
  /** No slash at the end. */
  url: string;
  /** The folder of the widget's files. */
  assets: string;
}

const PATH = '/static/modules/scaibot/';

/** `host` is an absolute address or nothing; `src` the script's. */
export function serverOf(host: string | undefined, src: string): Server {
  const url = host?.replace(/\/+$/, '');
  const assets = url ? url + PATH : new URL('.', src || location.href).href;
  return { assets, url: assets.replace(PATH, '') };
}
