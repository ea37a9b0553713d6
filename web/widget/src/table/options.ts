/**
 * Every attribute of the script tag and option of `init`, once. The parser, the types and the reference are made from it;
 * `doc` is for the reference alone and is taken out of what pages load.
 *
 * An option `primaryColor` is the attribute `data-primary-color`. What the launcher needs is apart from what only the panel
 * does, so that the loader carries no more than it must.
 */
export type Kind =
  | 'url' // http or https, relative to the page
  | 'bool'
  | 'number' // a whole number, "px" allowed
  | 'colour' // any CSS colour
  | 'icon'; // a name of ours or the address of an image

export interface OptionSpec {
  /** Text where nothing is said; of a list, the first is the default. */
  kind?: Kind | readonly string[];
  /** Where neither page nor bot says anything. */
  preset?: string | number;
  /** The field of embed-info that a bot sets it by, where it is not in `appearance`. */
  field?: string;
  doc?: string;
}

type Specs = Record<string, OptionSpec>;

/** How the page is joined to the bot. The page's alone. */
export const wiring = {
  botId: { doc: 'The bot, `bot_…`. Required.' },
  token: {
    doc: 'A static embed token. When it runs out the chat shows “session ended”; use `token-url` for pages that live longer.',
  },
  tokenUrl: {
    kind: 'url',
    doc: 'Address on your site that answers `{token, expires_at}`. Fetched on load and 60 seconds before the token ends; 204 hides the chat.',
  },
  tokenCredentials: {
    kind: ['same-origin', 'include'],
    doc: 'Which cookies the token address receives. `include` is for an address on another origin of yours.',
  },
  mount: {
    doc: 'CSS selector of the element that the inline panel fills. Waited for until it exists, also when it comes and goes with a route.',
  },
  host: { kind: 'url', doc: 'Address of the ScaiGrid server, where the script is not loaded from it.' },
} as const satisfies Specs;

/** Where it stands and what its launcher looks like. A bot's settings may say it too. */
export const placement = {
  mode: {
    kind: ['floating', 'inline', 'fullscreen'],
    doc: '`floating`: a launcher and a panel above the page. `inline`: the panel fills the element named by `mount`. `fullscreen`: the panel fills the window, open at once unless `open-on-load` says otherwise.',
  },
  position: {
    kind: ['bottom-right', 'bottom-left', 'top-right', 'top-left'],
    doc: 'Corner of the launcher and the floating panel.',
  },
  offsetX: { kind: 'number', preset: 20, doc: 'Pixels from the side of the window.' },
  offsetY: { kind: 'number', preset: 20, doc: 'Pixels from the top or bottom of the window.' },
  zIndex: { kind: 'number', preset: 9999, doc: 'Stacking order of launcher and panel.' },
  primaryColor: {
    kind: 'colour',
    field: 'primary_color',
    doc: 'Accent colour; the same as `--scaibot-primary`. The text on it is chosen for contrast.',
  },
  launcherIcon: {
    kind: 'icon',
    preset: 'speech-bubble',
    doc: '`speech-bubble`, `chat`, `question`, `sparkle`, `headset`, `robot`, or the address of an image.',
  },
  openOnLoad: { kind: 'bool', doc: 'Opens the panel with the page, without taking the focus.' },
} as const satisfies Specs;

/** What the panel says and looks like. A bot's settings may say it too. */
export const voice = {
  title: { field: 'display_name', doc: 'Name in the panel’s head, and of the launcher.' },
  welcomeMessage: { field: 'welcome_message', doc: 'First words of an empty conversation. Markdown.' },
  placeholder: { field: 'placeholder_text', doc: 'Hint in the empty input.' },
  theme: { kind: ['auto', 'light', 'dark'], doc: '`auto` follows the visitor’s system.' },
  locale: {
    field: 'locale',
    preset: 'en',
    doc: 'Language of the widget’s own words: `en`, `de`, `fr`, `nl`, `es`, or `auto` for the page’s, then the browser’s.',
  },
} as const satisfies Specs;

/** Who the page says its visitor is, and what is kept of him. The page's alone. */
export const visitor = {
  userId: {
    doc: 'Who the page says the visitor is. Advisory: mint the token with `visitor_id` for anything that matters.',
  },
  userEmail: { doc: 'Advisory e-mail address of the visitor.' },
  userName: { doc: 'Advisory name of the visitor.' },
  history: {
    kind: ['local', 'session', 'none'],
    doc: 'Where the key of an anonymous visitor is kept: `local` (this browser, 30 days after the last use), `session` (this tab), `none` (memory only; nothing is restored, for signed-in visitors too).',
  },
  debug: { kind: 'bool', doc: 'Explains each step in the console.' },
} as const satisfies Specs;

/** All of them, by the names that are read in the loader. */
type Groups = typeof wiring & typeof placement & typeof voice & typeof visitor;

export type OptionName = keyof Groups;

type ValueOf<S> = S extends { kind: infer K }
  ? K extends readonly (infer C)[]
    ? C
    : K extends 'bool'
      ? boolean
      : K extends 'number'
        ? number
        : string
  : string;

/** What a page may say: the attributes in camelCase. */
export type Options = { -readonly [N in OptionName]?: ValueOf<Groups[N]> | undefined };
