/** Writes the reference of the widget from the tables it is built from: Markdown for people, JSON for the admin. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { calls } from '../src/table/calls.ts';
import { events } from '../src/table/events.ts';
import { messages, type MessageSpec } from '../src/table/messages.ts';
import { placement, visitor, voice, wiring, type OptionSpec } from '../src/table/options.ts';
import { parts } from '../src/table/parts.ts';
import { publicName, variables, type VariableName, type VariableSpec } from '../src/table/variables.ts';

const out = new URL('../../dist/widget/', import.meta.url);

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const cell = (text: string): string => text.replace(/\|/g, '\\|').replace(/\n/g, ' ');
const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

const groups: [string, Record<string, OptionSpec>, 'page' | 'bot'][] = [
  ['wiring', wiring, 'page'],
  ['placement', placement, 'bot'],
  ['voice', voice, 'bot'],
  ['visitor', visitor, 'page'],
];

export const reference = {
  options: groups.flatMap(([group, specs, by]) =>
    Object.entries(specs).map(([name, { kind, preset, doc }]) => ({
      name,
      attribute: `data-${kebab(name)}`,
      group,
      values: typeof kind === 'object' ? [...kind] : null,
      kind: typeof kind === 'object' ? 'choice' : (kind ?? 'text'),
      default: typeof kind === 'object' ? kind[0] : (preset ?? null),
      settable_by_bot: by === 'bot',
      description: doc ?? '',
    })),
  ),
  variables: (Object.keys(variables) as VariableName[]).map((name) => {
    const { light, dark, doc }: VariableSpec = variables[name];
    const shown = (css: string): string =>
      css.replace(/\{([\w-]+)\}/g, (_, other: string) => `var(--scaibot-${other})`);
    return { name: publicName(name), light: shown(light), dark: shown(dark ?? light), description: doc ?? '' };
  }),
  parts: Object.entries(parts).map(([name, { doc }]) => ({ name, description: doc ?? '' })),
  calls: Object.entries(calls).map(([name, { signature, doc }]) => ({ name, signature, description: doc ?? '' })),
  events: Object.entries(events).map(([name, { detail, doc }]) => ({ name, detail, description: doc ?? '' })),
  messages: Object.entries<MessageSpec>(messages).map(([code, { what, fix, level }]) => ({
    code,
    level: level ?? 'error',
    what,
    fix,
  })),
};

const code = (text: string): string => `\`${text}\``;

export function markdown(): string {
  const { options, variables: vars, parts: named, calls: api, events: heard, messages: said } = reference;
  return `## Attributes and options

An attribute of the script tag, or the option of the same name in camelCase for \`ScaiBot.init\`. What the page says comes before a CSS
variable of the page, that before the bot's own settings, those before the default. A value that is not understood is reported in the console
and the default is used.

${table(
  ['Attribute', 'Option', 'Values', 'Default', 'Bot setting', 'What it does'],
  options.map((o) => [
    code(o.attribute),
    code(o.name),
    o.values ? o.values.map(code).join(', ') : o.kind,
    o.default === null ? '' : code(String(o.default)),
    o.settable_by_bot ? 'yes' : '',
    o.description,
  ]),
)}

## CSS variables

Set them on \`:root\`, or on any element that holds the widget. The widget only reads them.

${table(
  ['Variable', 'Default', 'Dark', 'What it does'],
  vars.map((v) => [code(v.name), code(v.light), v.dark === v.light ? '' : code(v.dark), v.description]),
)}

## The launcher

The element with class \`scaibot-launcher\` is in your page: any rule of yours for its paint (background, shadow, colour, radius) wins. Its
place and size are held by the widget: use the attributes for them.

## Parts

For \`::part()\` rules: \`.scaibot-panel::part(header) { … }\` and \`.scaibot-launcher::part(launcher-button) { … }\`.

${table(
  ['Part', 'What it is'],
  named.map((p) => [code(p.name), p.description]),
)}

## JavaScript

\`window.ScaiBot\`, once the script has loaded. Before that, queue calls: \`window.ScaiBot = {q: [["init", {…}]]}\`.

${table(
  ['Call', 'What it does'],
  api.map((c) => [code(c.signature), c.description]),
)}

## Events

\`ScaiBot.on(name, (detail) => …)\`. Every detail has \`botId\` beside what is listed.

${table(
  ['Event', 'Detail', 'When'],
  heard.map((e) => [code(e.name), e.detail, e.description]),
)}

## Console messages

Printed as \`scaibot[code]: what (where). What to do. Address.\`

${said.map((m) => `### ${m.code}\n\n${m.what}. ${m.fix}.`).join('\n\n')}
`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  mkdirSync(out, { recursive: true });
  writeFileSync(new URL('reference.md', out), markdown());
  writeFileSync(new URL('reference.json', out), `${JSON.stringify(reference, null, 2)}\n`);
}
