/** What the panel says and looks like: page before bot before default. */
import { botValues, read, type Refused } from '../settings.ts';
import type { Settings } from '../seam.ts';
import { visitor, voice, type Options } from '../table/options.ts';

export type Voice = Pick<Options, keyof typeof voice | keyof typeof visitor> & { suggestedQuestions: string[] };

export function voiceOf(settings: Settings, refused: Refused): Voice {
  const { info } = settings;
  const own = { ...voice, ...visitor };
  const page: Record<string, unknown> = {};
  for (const name in own) page[name] = settings[name as keyof typeof own];
  return {
    ...botValues(info, voice, refused),
    ...read(page, own, refused),
    suggestedQuestions: info.suggested_questions ?? [],
  };
}
