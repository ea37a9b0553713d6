/** The panel: one session, one frame, and what joins them. */
import type { Finding, Panel, PanelHost, SendOutcome } from '../seam.ts';
import { Announcer } from './announce.ts';
import type { Entry } from './entry.ts';
import { manners } from './machine.ts';
import { Session } from './session.ts';
import type { Clock } from './stream.ts';
import { Composer } from './view/composer.ts';
import { LauncherMarks } from './view/launcher.ts';
import { Frame } from './view/panel.ts';
import { Transcript } from './view/transcript.ts';
import { voiceOf, type Voice } from './voice.ts';
import { choose, english, speak, type Say } from './words.ts';

const clock: Clock = {
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
  chance: () => Math.random(),
};

export function createPanel(host: PanelHost): Panel {
  return new ChatPanel(host);
}

class ChatPanel implements Panel {
  readonly #host: PanelHost;
  readonly #session: Session;
  readonly #frame: Frame;
  readonly #composer: Composer;
  readonly #transcript: Transcript;
  readonly #announcer: Announcer;
  readonly #marks: LauncherMarks;
  #voice: Voice;
  #say: Say = english;
  #language = '';
  #unread = 0;
  #draftTimer = 0;
  #ready = false;
  #destroyed = false;

  constructor(host: PanelHost) {
    this.#host = host;
    this.#voice = this.#listen();
    const announcements = { region: undefined as HTMLElement | undefined };
    this.#composer = new Composer(this.#say, {
      send: (text) => this.#ask(text),
      stop: () => this.#session.stop(),
      draft: (text) => {
        if (text) this.#transcript.enrich();
        this.#draft(text);
      },
    });
    this.#announcer = new Announcer(() => announcements.region);
    this.#transcript = new Transcript(
      this.#say,
      {
        retry: (entry) => this.#session.retry(entry),
        rate: (entry, rating) => void this.#session.rate(entry, rating),
        ask: (text) => this.#ask(text),
      },
      this.#announcer,
    );
    this.#frame = new Frame(host, this.#transcript.root, this.#composer.root, {
      close: () => this.close(),
      fresh: () => void this.#session.fresh().then(() => this.#composer.input.focus()),
    });
    announcements.region = this.#frame.announcer;
    this.#marks = new LauncherMarks(host);
    this.#session = new Session(host, host.settings().botId ?? '', this.#voice.history ?? 'local', clock, {
      state: () => this.#state(),
      entry: (entry) => this.#entry(entry),
      removed: (entry) => this.#transcript.removed(entry),
      reset: () => {
        this.#transcript.reset(this.#session.entries);
        this.#state();
      },
      draft: (text) => this.#composer.fill(text, text === ''),
    });
    if (!isSecureContext || (location.protocol === 'https:' && host.server.startsWith('http:')))
      host.report('no-https', host.server);
    this.update();
    this.#session.start();
    void host.info.then(() => this.update());
  }

  open({ focus }: { focus: boolean }): void {
    const was = this.#frame.open;
    this.#frame.show(focus);
    this.#transcript.toEnd();
    if (was) return;
    this.#count(0);
    this.#marks.open(true);
    this.#host.shown(true);
  }

  close(): void {
    if (!this.#frame.open || this.#host.settings().mode === 'inline') return;
    this.#frame.hide();
    this.#marks.open(false);
    this.#host.shown(false);
  }

  send(text: string): Promise<SendOutcome> {
    return this.#session.send(text);
  }

  update(): void {
    if (this.#destroyed) return;
    this.#voice = this.#listen();
    const language = choose(this.#voice.locale ?? 'en', document.documentElement.lang, navigator.languages);
    if (language !== this.#language) {
      this.#language = language;
      void speak(language).then((say) => {
        if (this.#destroyed || language !== this.#language) return;
        this.#say = say;
        this.#dress();
      });
    }
    this.#dress();
  }

  async doctor(): Promise<Finding[]> {
    const { examine } = await import('./doctor.ts');
    return examine(this.#host, this.#session.tokens);
  }

  destroy(): void {
    this.#destroyed = true;
    clearTimeout(this.#draftTimer);
    this.#session.destroy();
    this.#transcript.destroy();
    this.#frame.destroy();
  }

  #listen(): Voice {
    return voiceOf(this.#host.settings(), (name, value) => this.#host.report('option-refused', `${name}: ${value}`));
  }

  #ask(text: string): void {
    this.#transcript.enrich();
    void this.#session.send(text);
    this.#transcript.toEnd();
  }

  #dress(): void {
    const say = this.#say;
    const { title, welcomeMessage, placeholder, suggestedQuestions } = this.#voice;
    const name = title || say('chat');
    this.#transcript.dress(say, name, welcomeMessage ?? '', suggestedQuestions);
    this.#composer.dress(say, placeholder || say('placeholder'));
    this.#frame.dress({
      title: name,
      close: say('close'),
      fresh: say('fresh'),
      language: this.#language,
      theme: this.#voice.theme ?? 'auto',
    });
    this.#transcript.reset(this.#session.entries);
    this.#state();
  }

  #state(): void {
    const { state, answering, agent, position, typing, empty } = this.#session;
    const say = this.#say;
    const name = agent?.name ?? say('someone');
    let notice = '';
    if (state === 'reconnecting' || state === 'offline' || state === 'refused' || state === 'ended')
      notice = say(state);
    else if (state === 'waiting') notice = position ? say('position', { n: position }) : say('waiting');
    else if (state === 'human') notice = say('human', { name });
    const status = typing ? say('typing', { name: typing }) : state === 'connecting' ? say('connecting') : '';
    if (this.#voice.debug) console.debug(`scaibot: ${state}${answering ? ', an answer is under way' : ''}`);
    this.#frame.tell(state, status, notice);
    this.#frame.canStartFresh(!empty && state !== 'refused' && state !== 'ended');
    this.#composer.allow(manners(state, answering));
    if (this.#ready || state === 'idle' || state === 'connecting' || state === 'reconnecting') return;
    this.#ready = true;
    this.#host.emit('ready', {});
    // The words for a host that is away have to be here before it is.
    void import('../messages.ts').catch(() => undefined);
  }

  #entry(entry: Entry): void {
    this.#transcript.entry(entry);
    const { state } = this.#session;
    this.#frame.canStartFresh(state !== 'refused' && state !== 'ended');
    const heard = entry.role !== 'user' && entry.status !== 'streaming' && entry.text !== '';
    if (heard && !this.#frame.open && this.#host.settings().mode !== 'inline') this.#count(this.#unread + 1);
  }

  #count(count: number): void {
    if (count === this.#unread) return;
    this.#unread = count;
    this.#marks.unread(count);
    this.#host.emit('unread', { count });
  }

  #draft(text: string): void {
    clearTimeout(this.#draftTimer);
    this.#draftTimer = window.setTimeout(() => this.#session.keepDraft(text), text ? 400 : 0);
  }
}
