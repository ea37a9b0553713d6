/** From attributes, `init` and the bot's settings to one set of values. */
import type { EmbedInfo } from '../../../protocol/wire.ts';
import type { Settings } from '../seam.ts';
import { options, type OptionName, type Options, type OptionSpec } from '../table/options.ts';

export const names = Object.keys(options) as OptionName[];
const spec = (name: OptionName): OptionSpec => options[name];

type Refused = (name: string, value: string) => void;
type Value = string | number | boolean;

/** The address that a page means, or undefined where it is not one that is fetched over HTTP. */
export function httpUrl(value: string, image = false): string | undefined {
  try {
    const url = new URL(value, document.baseURI);
    return /^https?:$/.test(url.protocol) || (image && /^data:image\//.test(value)) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

const readers: Record<string, (text: string) => Value | undefined> = {
  bool: (text) => (/^(true|1|yes|)$/i.test(text) ? true : /^(false|0|no)$/i.test(text) ? false : undefined),
  integer: (text) => (/^-?\d{1,10}$/.test(text) ? Number(text) : undefined),
  pixels: (text) => (/^\d{1,5}(px)?$/.test(text) ? parseInt(text) : undefined),
  colour: (text) => (CSS.supports('color', text) ? text : undefined),
  locale: (text) => (/^[a-z]{2,3}(-[a-z0-9]{2,8})*$|^auto$/i.test(text) ? text : undefined),
  url: (text) => httpUrl(text),
  selector: (text) => {
    try {
      document.querySelector(text);
      return text;
    } catch {
      return undefined;
    }
  },
  icon: (text) => (/^[a-z-]{1,30}$/.test(text) ? text : httpUrl(text, true)),
};

function parse(name: OptionName, raw: unknown): Value | undefined {
  const text = String(raw as Value).trim();
  const { kind } = spec(name);
  if (typeof kind !== 'string') return kind.includes(text) ? text : undefined;
  const read = readers[kind];
  return read ? read(text) : text || undefined;
}

/** The options in a bag of raw values; what cannot be understood is reported and left out. */
export function read(raw: Record<string, unknown>, refused: Refused): Options {
  const out: Record<string, Value> = {};
  for (const name of names) {
    const value = raw[name];
    if (value === undefined || value === null) continue;
    const parsed = parse(name, value);
    if (parsed !== undefined) out[name] = parsed;
    else if (value !== '') refused(name, String(value as Value).slice(0, 80));
  }
  return out;
}

const camel = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Page before bot before default. CSS variables of the page stand between the first two and are read by the sheets. */
export function settle(page: Options, info: EmbedInfo, refused: Refused): Settings {
  const looks: Record<string, unknown> = {};
  const botVariables: Record<string, string> = {};
  for (const [key, value] of Object.entries(info.appearance ?? {})) {
    if (key.startsWith('--')) botVariables[key] = value;
    else looks[camel(key)] = value;
  }
  const fromInfo = info as Record<string, unknown>;
  const bot: Record<string, unknown> = {};
  const preset: Record<string, unknown> = {};
  for (const name of names) {
    const { pageOnly, field, preset: value } = spec(name);
    if (!pageOnly) bot[name] = looks[name] ?? (field && fromInfo[field]);
    preset[name] = value;
  }
  const settled = { ...preset, ...read(bot, refused), ...page } as Settings;
  if (!page.primaryColor && settled.primaryColor) {
    botVariables['--scaibot-primary'] ??= settled.primaryColor;
    settled.primaryColor = undefined;
  }
  return { ...settled, botVariables, suggestedQuestions: info.suggested_questions ?? [] };
}
