/**
 * Every CSS variable that a page may set, once. The panel's sheet, the reference and the browser test are made from it.
 * A variable without a value of its own derives from the others, so that any background and text colour go together.
 */
export interface VariableSpec {
  /** Fallback, as CSS. `{x}` stands for the resolved variable x. */
  light: string;
  dark?: string;
  doc?: string;
}

export const variables = {
  primary: { light: '#4f46e5', doc: 'Accent: launcher, send button, visitor’s bubbles, links.' },
  'primary-text': { light: '#fff', doc: 'Text on the accent. Chosen for contrast unless set.' },
  bg: { light: '#ffffff', dark: '#16181d', doc: 'Background of the panel.' },
  text: { light: '#1c1e24', dark: '#eceef2', doc: 'Text of the panel.' },
  muted: { light: 'color-mix(in srgb,{text} 68%,{bg})', doc: 'Secondary text: hints, times, sources.' },
  border: { light: 'color-mix(in srgb,{text} 12%,{bg})', doc: 'Hairlines.' },
  surface: { light: 'color-mix(in srgb,{text} 5%,{bg})', doc: 'Bubbles of the bot, input, code, table heads.' },
  link: { light: '{primary}', doc: 'Links in answers. Derived from the accent, corrected for contrast.' },
  'user-bg': { light: '{primary}', doc: 'Bubbles of the visitor.' },
  'user-text': { light: '{primary-text}', doc: 'Text in the visitor’s bubbles.' },
  'header-bg': { light: '{bg}', doc: 'Background of the panel’s head.' },
  'header-text': { light: '{text}', doc: 'Text of the panel’s head.' },
  danger: { light: '#b3261e', dark: '#ffb4ab', doc: 'Errors.' },
  font: {
    light: 'system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif',
    doc: 'Font family. The widget loads none itself.',
  },
  'font-size': { light: '15px', doc: 'Size of the text.' },
  'border-radius': { light: '16px', doc: 'Roundness of the panel; bubbles and input follow it.' },
  width: { light: '400px', doc: 'Width of the floating panel.' },
  height: { light: '640px', doc: 'Height of the floating panel; never more than the window has.' },
  shadow: { light: '0 12px 48px rgb(15 17 26/.18),0 2px 8px rgb(15 17 26/.08)', doc: 'Shadow of the floating panel.' },
  'launcher-size': { light: '56px', doc: 'Width and height of the launcher.' },
} as const satisfies Record<string, VariableSpec>;

export type VariableName = keyof typeof variables;

/** The name that a page writes. */
export const publicName = (name: VariableName): string => `--scaibot-${name}`;
/** The name by which a bot's setting comes in, below the page's. Private. */
export const botName = (name: VariableName): string => `--sb-bot-${name}`;

/** `--sb-x` for each variable: the page's value, else the bot's, else the theme's. */
export function declarations(theme: 'light' | 'dark'): string {
  return (Object.keys(variables) as VariableName[])
    .map((name) => {
      const spec: VariableSpec = variables[name];
      const preset = ((theme === 'dark' && spec.dark) || spec.light).replace(/\{([\w-]+)\}/g, 'var(--sbv-$1)');
      return `--sbv-${name}:var(${publicName(name)},var(${botName(name)},${preset}))`;
    })
    .join(';');
}
