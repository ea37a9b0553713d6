/** What the loader must know to draw the launcher. Page before bot before default. */
import type { EmbedInfo } from '../../../protocol/wire.ts';
import type { Settings } from '../seam.ts';
import { botValues, type Refused } from '../settings.ts';
import { placement, type Options } from '../table/options.ts';

/** CSS variables of the page stand between page and bot and are read by the sheets, so the bot's go below them. */
export function settle(page: Options, info: EmbedInfo, refused: Refused): Settings {
  const { primaryColor, ...looks } = botValues(info, placement, refused);
  const botVariables: Record<string, string> = primaryColor ? { '--sb-bot-primary': String(primaryColor) } : {};
  for (const [key, value] of Object.entries(info.appearance ?? {})) {
    if (key.startsWith('--')) botVariables[key.replace('--scaibot-', '--sb-bot-')] = value;
  }
  return { ...looks, ...page, botVariables, info };
}
