/** From raw values to options: one reader for the loader's and the panel's share of the table. */
import type { EmbedInfo } from '../../protocol/wire.ts';
import type { OptionSpec } from './table/options.ts';

export type Specs = Record<string, OptionSpec>;
export type Refused = (name: string, value: string) => void;
export type Value = string | number | boolean;
export type Values = Record<string, Value | undefined>;

/** The address that a page means, or undefined where it is not one that is fetched over HTTP. */
export function httpUrl(value: string, image = false): string | undefined {
  try {
    const { href } = new URL(value, document.baseURI);
    return (image ? /^(https?:|data:image\/)/ : /^https?:/).test(href) ? href : undefined;
  } catch {
    return undefined;
  }
}

const readers: Record<string, (text: string) => Value | undefined> = {
  bool: (text) => (/^(true|1|)$/.test(text) ? true : /^(false|0)$/.test(text) ? false : undefined),
  number: (text) => (/^-?\d{1,9}(px)?$/.test(text) ? parseInt(text) : undefined),
  colour: (text) => (CSS.supports('color', text) ? text : undefined),
  url: (text) => httpUrl(text),
  icon: (text) => (/^[a-z-]+$/.test(text) ? text : httpUrl(text, true)),
};

/** The values in a bag of raw ones; what cannot be understood is reported and left out. Names without a spec are text. */
export function read(raw: object, specs: Specs, refused: Refused): Values {
  const out: Values = {};
  for (const [name, value] of Object.entries(raw) as [string, Value | null | undefined][]) {
    if (value === undefined || value === null) continue;
    const text = String(value).trim();
    const { kind = '' } = specs[name] ?? {};
    const understood =
      typeof kind !== 'string'
        ? kind.includes(text)
          ? text
          : undefined
        : readers[kind]
          ? readers[kind](text)
          : text || undefined;
    if (understood !== undefined) out[name] = understood;
    else if (text) refused(name, text);
  }
  return out;
}

const camel = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** What the bot's settings say of these options, over their defaults. */
export function botValues({ appearance = {}, ...info }: EmbedInfo, specs: Specs, refused: Refused): Values {
  const preset: Values = {};
  const said: Values = {};
  for (const name in specs) {
    const { field, kind, preset: value } = specs[name] ?? {};
    preset[name] = typeof kind === 'object' ? kind[0] : value;
    if (field) said[name] = info[field as 'locale'];
  }
  for (const key in appearance) if (camel(key) in specs) said[camel(key)] = appearance[key];
  return { ...preset, ...read(said, specs, refused) };
}
