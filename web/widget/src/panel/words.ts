/** The widget's words in the visitor's language; every language but English is loaded when it is wanted. */
import { en, type Words } from './locales/en.ts';

const others: Record<string, () => Promise<{ words: Words }>> = {
  de: () => import('./locales/de.ts'),
  es: () => import('./locales/es.ts'),
  fr: () => import('./locales/fr.ts'),
  nl: () => import('./locales/nl.ts'),
};

export type Say = (name: keyof Words, values?: Record<string, string | number>) => string;

/** The first language asked for that we speak. */
export function choose(locale: string, page: string, browser: readonly string[]): string {
  const wanted = locale === 'auto' ? [page, ...browser] : [locale];
  for (const tag of wanted) {
    const language = tag.toLowerCase().split('-')[0] ?? '';
    if (language === 'en' || Object.hasOwn(others, language)) return language;
  }
  return 'en';
}

export function speaker(words: Words, language: string): Say {
  const plural = new Intl.PluralRules(language);
  return (name, values = {}) => {
    const found = words[name];
    const text = typeof found === 'string' ? found : found[plural.select(Number(values.n)) === 'one' ? 0 : 1];
    return text.replace(/\{(\w+)\}/g, (_, key: string) => String(values[key] ?? ''));
  };
}

export const english = speaker(en, 'en');

/** English where the language cannot be loaded: words are no reason for a chat not to work. */
export async function speak(language: string): Promise<Say> {
  try {
    const found = await (Object.hasOwn(others, language) ? others[language]?.() : undefined);
    return found ? speaker(found.words, language) : english;
  } catch {
    return english;
  }
}
