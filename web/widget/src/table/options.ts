/**
 * Every attribute of the script tag and option of `init`, once. The parser, the types and the reference are made from it;
 * `doc` is for the reference alone and is taken out of what pages load.
 *
 * An option `primaryColor` is the attribute `data-primary-color`.
 */
export type Kind =
  | 'id' // an id with its kind in front
  | 'url' // http or https, relative to the page
  | 'bool'
  | 'number' // a whole number, "px" allowed
  | 'colour' // any CSS colour
  | 'icon' // a name of ours or the address of an image
  | 'selector';

export interface OptionSpec {
  /** Text where nothing is said; of a list, the first is the default. */
  kind?: Kind | readonly string[];
  /** Where neither page nor bot says anything. */
  preset?: string | number | boolean;
  /** Not a matter of looks: a bot's settings cannot give it. */
  pageOnly?: true;
  /** The field of embed-info that a bot sets it by, where it is not in `appearance`. */
  field?: string;
  doc?: string;
}

export const options = {
  botId: { kind: 'id', pageOnly: true, doc: 'The bot, `bot_…`. Required.' },
  token: {
    pageOnly: true,
    doc: 'A static embed token. When it runs out the chat shows “session ended”; use `token-url` for pages that live longer.',
  },
  tokenUrl: {
    kind: 'url',
    pageOnly: true,
    doc: 'Address on your site that answers `{token, expires_at}`. Fetched on load and 60 seconds before the token ends; 204 hides the chat.',
  },
  tokenCredentials: {
    kind: ['same-origin', 'include', 'omit'],
    pageOnly: true,
    doc: 'Which cookies the token address receives. `include` is for an address on another origin of yours.',
  },
  userId: { pageOnly: true, doc: 'Who the page says the visitor is. Advisory: mint the token with `visitor_id` for anything that matters.' },
  userEmail: { pageOnly: true, doc: 'Advisory e-mail address of the visitor.' },
  userName: { pageOnly: true, doc: 'Advisory name of the visitor.' },
  mode: {
    kind: ['floating', 'inline', 'fullscreen'],
    doc: '`floating`: a launcher and a panel above the page. `inline`: the panel fills the element named by `mount`. `fullscreen`: the panel fills the window, open at once unless `open-on-load` says otherwise.',
  },
  mount: { kind: 'selector', pageOnly: true, doc: 'CSS selector of the element that the inline panel fills. Waited for until it exists, also when it comes and goes with a route.' },
  position: {
    kind: ['bottom-right', 'bottom-left', 'top-right', 'top-left'],
    doc: 'Corner of the launcher and the floating panel.',
  },
  offsetX: { kind: 'number', preset: 20, doc: 'Pixels from the side of the window.' },
  offsetY: { kind: 'number', preset: 20, doc: 'Pixels from the top or bottom of the window.' },
  zIndex: { kind: 'number', preset: 9999, doc: 'Stacking order of launcher and panel.' },
  theme: { kind: ['auto', 'light', 'dark'], doc: '`auto` follows the visitor’s system.' },
  primaryColor: { kind: 'colour', field: 'primary_color', doc: 'Accent colour; the same as `--scaibot-primary`. The text on it is chosen for contrast.' },
  launcherIcon: {
    kind: 'icon',
    preset: 'speech-bubble',
    doc: '`speech-bubble`, `chat`, `question`, `sparkle`, `headset`, `robot`, or the address of an image.',
  },
  openOnLoad: { kind: 'bool', doc: 'Opens the panel with the page, without taking the focus.' },
  locale: { field: 'locale', preset: 'en', doc: 'Language of the widget’s own words: `en`, `de`, `fr`, `nl`, `es`, or `auto` for the page’s, then the browser’s.' },
  title: { field: 'display_name', doc: 'Name in the panel’s head.' },
  welcomeMessage: { field: 'welcome_message', doc: 'First words of an empty conversation.' },
  placeholder: { field: 'placeholder_text', doc: 'Hint in the empty input.' },
  history: {
    kind: ['local', 'session', 'none'],
    pageOnly: true,
    doc: 'Where the key of an anonymous visitor is kept: `local` (this browser, 30 days after the last use), `session` (this tab), `none` (memory only; nothing is restored, for signed-in visitors too).',
  },
  host: { kind: 'url', pageOnly: true, doc: 'Address of the ScaiGrid server, where the script is not loaded from it.' },
  debug: { kind: 'bool', pageOnly: true, doc: 'Explains each step in the console.' },
} as const satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof options;

type ValueOf<K> = K extends readonly (infer C)[] ? C : K extends 'bool' ? boolean : K extends 'number' ? number : string;

/** What a page may say: the attributes in camelCase. */
export type Options = {
  -readonly [N in OptionName]?: ((typeof options)[N] extends { kind: infer K } ? ValueOf<K> : string) | undefined;
};
