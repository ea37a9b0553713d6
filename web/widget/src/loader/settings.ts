/** From attributes, `init` and the bot's settings to one set of values. */
import type { EmbedInfo } from '../../../protocol/wire.ts';
import { launcherIcons } from '../icons.ts';
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
  bool: (text) => (/^(true|1|)$/.test(text) ? true : /^(false|0)$/.test(text) ? false : undefined),
  number: (text) => (/^-?\d{1,9}(px)?$/.test(text) ? parseInt(text) : undefined),
  colour: (text) => (CSS.supports('color', text) ? text : undefined),
  url: (text) => httpUrl(text),
  icon: (text) => (text in launcherIcons ? text : httpUrl(text, true)),
  selector: (text) => {
    try {
      document.querySelector(text);
      return text;
    } catch {
      return undefined;
    }
  },
};

function parse(name: OptionName, raw: unknown): Value | undefined {
  const text = String(raw as Value).trim();
  const { kind = '' } = spec(name);
  if (typeof kind !== 'string') return kind.includes(text) ? text : undefined;
  return readers[kind] ? readers[kind](text) : text || undefined;
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
  const botVariables: Record<string, string> = {};
  const bot: Record<string, unknown> = {};
  const preset: Record<string, unknown> = {};
  for (const name of names) {
    const { pageOnly, field, kind, preset: value } = spec(name);
    preset[name] = Array.isArray(kind) ? kind[0] : value;
    if (!pageOnly) bot[name] = (field && info[field as keyof EmbedInfo]) || undefined;
  }
  for (const [key, value] of Object.entries(info.appearance ?? {})) {
    const name = key.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    if (key.startsWith('--')) botVariables[key] = value;
    else if (name in bot) bot[name] = value;
  }
  const { primaryColor, ...looks } = read(bot, refused);
  if (primaryColor) botVariables['--scaibot-primary'] ??= primaryColor;
  return { ...preset, ...looks, ...page, botVariables, suggestedQuestions: info.suggested_questions ?? [] };
}
