/**
 * The conversation of one visitor with one bot: restored, sent to, followed. Knows nothing of how it looks.
 */
import type { Answer } from '../../../protocol/answer.ts';
import type {
  Agent,
  ConversationStatus,
  CurrentConversation,
  Message,
  Rating,
  StateEvent,
  StreamEvent,
} from '../../../protocol/wire.ts';
import type { Off, PanelHost, SendOutcome, Token } from '../seam.ts';
import { ApiError, Client, LinkError } from './client.ts';
import { entry, fromMessage, type Entry } from './entry.ts';
import { loadLive } from './live-load.ts';
import type { Live } from './live.ts';
import { manners, next, type Happening, type State } from './machine.ts';
import { backoff, type Clock } from './stream.ts';
import { refusal, tokenRefused } from './refusal.ts';
import { conclude, failureOf, hear } from './reply.ts';
import { requestOf } from './request.ts';
import type { SessionWatch } from './session-watch.ts';
import { Tabs, type News } from './tabs.ts';
import { Tokens } from './tokens.ts';
import { Turn, type Start } from './turn.ts';
import { uuid, Visitor, type History } from './visitor.ts';

interface Outgoing {
  entry: Entry;
  id: string;
  settle(outcome: SendOutcome): void;
}

/** The longest message, in characters. */
export const LIMIT = 8000;

export class Session {
  state: State = 'idle';
  status: ConversationStatus = 'open';
  agent: Agent | undefined;
  /** Name of the person who is typing. */
  typing = '';
  position: number | undefined;
  entries: Entry[] = [];
  readonly #host: PanelHost;
  readonly #clock: Clock;
  readonly #watch: SessionWatch;
  readonly #visitor: Visitor;
  readonly tokens: Tokens;
  readonly #client: Client;
  readonly #tabs: Tabs;
  #live: Promise<Live> | undefined;
  readonly #offs: Off[] = [];
  readonly #queue: Outgoing[] = [];
  /** Ends with the visitor: nothing of his goes on for the next one. */
  #life = new AbortController();
  #conversationId: string | null = null;
  #turnId: string | undefined;
  #running = false;
  #stopWanted = false;
  #met = false;

  constructor(host: PanelHost, botId: string, history: History, clock: Clock, watch: SessionWatch) {
    this.#host = host;
    this.#clock = clock;
    this.#watch = watch;
    this.#visitor = new Visitor(botId, history, () => Date.now());
    this.tokens = new Tokens(host.tokens, () => performance.now());
    this.#client = new Client({
      api: `${host.server}/v1/modules/scaibot`,
      tokens: this.tokens,
      key: () => this.#visitor.key,
      taken: (token) => this.#visitor.taken(token),
      tokenRefused: (code) => tokenRefused(code, host),
    });
    this.#tabs = new Tabs(`scaibot:${host.server}:${botId}`, history === 'none', (news) => this.#hear(news));
  }

  /** An answer is on its way. */
  get answering(): boolean {
    return this.#running;
  }

  /** Nothing was said yet. */
  get empty(): boolean {
    return this.entries.length === 0;
  }

  start(): void {
    if (this.state !== 'idle') return;
    this.#happen('open');
    const on = (type: string, fn: () => void): void => {
      window.addEventListener(type, fn);
      this.#offs.push(() => window.removeEventListener(type, fn));
    };
    on('offline', () => this.#happen('offline'));
    on('online', () => {
      this.#happen('online');
      if (this.state === 'reconnecting' && !this.#running) void this.#restore();
    });
    this.#offs.push(
      this.#host.tokens.listen(() => this.#health()),
      this.tokens.watch((token) => this.#meet(token)),
    );
    this.#health();
  }

  destroy(): void {
    for (const off of this.#offs) off();
    this.#life.abort();
    this.#listen(false);
    this.#tabs.close();
    for (const out of this.#queue.splice(0))
      out.settle({ sent: false, error: { code: 'destroyed', message: 'The widget was removed.' } });
  }

  /** How the tokens are: out for good, or away for a while. */
  #health(): void {
    const { ended, failing, token } = this.#host.tokens;
    if (ended) this.#happen('expired');
    else if (failing && (this.state === 'sending' || (!this.#running && !token))) this.#happen('cut');
  }

  keepDraft(text: string): void {
    this.#visitor.draft = text;
  }

  send(raw: string): Promise<SendOutcome> {
    const text = raw.trim();
    if (!text || [...text].length > LIMIT) {
      return Promise.resolve({
        sent: false,
        error: { code: 'VALIDATION_ERROR', message: `A message has 1 to ${LIMIT} characters.` },
      });
    }
    if (!manners(this.state, false).send) {
      return Promise.resolve({
        sent: false,
        error: { code: this.state.toUpperCase(), message: 'The chat is closed.' },
      });
    }
    const id = uuid();
    return this.#enqueue(entry('user', id, { text, status: 'sending', clientId: id }), id);
  }

  /** Sends a message that failed once more: the same one, so that it is stored once. */
  retry(failed: Entry): void {
    const question = failed.role === 'user' ? failed : this.#questionOf(failed);
    if (!question?.clientId || this.#running) return;
    if (question !== failed) this.#remove(failed);
    Object.assign(question, { failure: undefined, status: 'sending' });
    void this.#enqueue(question, question.clientId);
  }

  stop(): void {
    if (!this.#running) return;
    if (!this.#turnId) this.#stopWanted = true;
    else
      void this.#client
        .json(`/chat/turns/${encodeURIComponent(this.#turnId)}/stop`, { method: 'POST', signal: this.#life.signal })
        .catch(() => undefined);
  }

  async rate(reply: Entry, rating: Rating | undefined): Promise<void> {
    const { messageId, rating: before } = reply;
    if (!messageId) return;
    reply.rating = rating;
    this.#watch.entry(reply);
    try {
      const body = { reply_id: messageId, rating: rating ?? null };
      await this.#client.json('/chat/feedback', { method: 'POST', body, signal: this.#life.signal });
      this.#host.emit('rating', { messageId, rating: rating ?? null });
    } catch {
      reply.rating = before;
      this.#watch.entry(reply);
    }
  }

  /** Begins a fresh conversation; the old one stays on the server. */
  async fresh(): Promise<void> {
    const had = this.#conversationId;
    this.#endVisit();
    this.#happen('reset');
    this.#watch.reset();
    const init = { method: 'POST', body: {}, signal: this.#life.signal };
    if (had) {
      const begun = this.#client.json<CurrentConversation>('/chat/conversation', init);
      this.#conversationId = (await begun.catch(() => undefined))?.conversation?.id ?? null;
    }
    const { mark } = this.#visitor;
    if (mark) this.#tabs.tell({ kind: 'fresh', mark, conversationId: this.#conversationId });
    this.#happen('restored');
  }

  #happen(happening: Happening): void {
    const before = this.state;
    this.state = next(before, happening);
    if (this.state === before) return;
    this.#watch.state();
    for (const { entry: waiting } of this.#queue) this.#mark(waiting);
  }

  /** A message that is not out yet says whether it waits for the link. */
  #mark(waiting: Entry): void {
    const status = this.state === 'reconnecting' || this.state === 'offline' ? 'queued' : 'sending';
    if (waiting.status === status) return;
    waiting.status = status;
    this.#watch.entry(waiting);
  }

  #set(fields: Partial<Pick<Session, 'typing' | 'status' | 'agent' | 'position'>>): void {
    Object.assign(this, fields);
    this.#watch.state();
  }

  /** Aborts what is under way and forgets what was said, in memory. */
  #endVisit(): void {
    this.#life.abort();
    this.#life = new AbortController();
    this.#listen(false);
    for (const out of this.#queue.splice(0))
      out.settle({ sent: false, error: { code: 'dropped', message: 'The conversation was ended.' } });
    this.entries = [];
    this.#conversationId = null;
    this.#turnId = undefined;
    this.#running = false;
    Object.assign(this, { status: 'open', agent: undefined, typing: '', position: undefined });
  }

  #meet(token: Token): void {
    const mark = this.#visitor.mark;
    const change = this.#visitor.meet(token);
    if (this.#host.claims().id && token.anon) this.#host.report('user-not-verified');
    if (change === 'changed') {
      if (mark) this.#tabs.tell({ kind: 'identity', mark });
      this.#endVisit();
      this.#happen('reset');
      this.#watch.reset();
      this.#watch.draft('');
    }
    if (change !== 'same') this.#host.emit('identity', { verified: this.#visitor.verified });
    const first = !this.#met;
    this.#met = true;
    if (first) this.#watch.draft(this.#visitor.draft);
    if (this.state === 'ended') this.#happen('reset');
    void this.#host.info.then((info) => this.#visitor.keepInfo(info));
    if (first || change !== 'same' || this.state === 'connecting') void this.#restore();
    else if (this.state === 'reconnecting' && !this.#running) this.#happen('restored');
    this.#pump();
  }

  /** Brings the conversation as the server has it, trying until it is there. */
  async #restore(): Promise<void> {
    const { signal } = this.#life;
    for (let attempt = 0; this.#visitor.known; attempt++) {
      try {
        this.#show(await this.#client.json<CurrentConversation>('/chat/conversation', { signal }));
        break;
      } catch (error) {
        if (signal.aborted || this.#refuse(error)) return;
        if (!(error instanceof LinkError) && !(error instanceof ApiError && error.status >= 500)) break;
        this.#happen('cut');
        this.#host.report('host-unreachable', this.#host.server);
        await backoff(attempt, this.#clock, signal).catch(() => undefined);
        if (signal.aborted) return;
      }
    }
    this.#happen('restored');
    await this.#adopt(signal);
    this.#pump();
  }

  #show({ conversation, messages, turn_id: turnId }: CurrentConversation): void {
    const waiting = this.#queue.map((out) => out.entry);
    this.#conversationId = conversation?.id ?? null;
    const known = new Map(this.entries.filter((e) => e.messageId).map((e) => [e.messageId, e]));
    const shown = messages.filter(
      (m) => m.status !== 'withdrawn' && !(m.role === 'assistant' && m.status === 'streaming'),
    );
    // Rows that are on the screen already keep their identity, and with it their place and the visitor's focus.
    const rows = shown.map((m) => {
      const { key: _key, clientId: _clientId, ...now } = fromMessage(m);
      const row = known.get(m.id);
      return row ? Object.assign(row, now) : fromMessage(m);
    });
    const unsent = this.entries.filter((e) => waiting.includes(e) || (e.status === 'failed' && !e.messageId));
    this.entries = [...rows, ...unsent];
    this.#watch.reset();
    if (conversation) this.#setStatus({ status: conversation.status });
    if (turnId) this.#join(turnId);
  }

  /** Messages that a closed tab left unsent are ours to send. */
  async #adopt(signal: AbortSignal): Promise<void> {
    for (const { id, text, tab } of [...this.#visitor.outbox]) {
      if (this.#queue.some((out) => out.id === id) || this.entries.some((e) => e.clientId === id)) continue;
      const gone = await this.#tabs.gone(tab);
      if (signal.aborted) return;
      if (gone) void this.#enqueue(entry('user', id, { text, status: 'queued', clientId: id }), id);
    }
  }

  #enqueue(mine: Entry, id: string): Promise<SendOutcome> {
    return new Promise((settle) => {
      this.#queue.push({ entry: mine, id, settle });
      this.#add(mine);
      this.#mark(mine);
      if (this.#met) this.#store(mine, id);
      this.#pump();
    });
  }

  #store({ text }: Entry, id: string): void {
    this.#visitor.begin();
    this.#visitor.wait({ id, text, tab: this.#tabs.id });
  }

  /** Sends the next message, one at a time. */
  #pump(): void {
    const out = this.#queue[0];
    if (!out || this.#running || !this.#met) return;
    if (this.state === 'idle' || this.state === 'connecting') return;
    this.#store(out.entry, out.id);
    this.#happen('send');
    const request = requestOf(this.#host, out.entry.text, out.id, this.#conversationId);
    void this.#follow({ request }, out);
  }

  /** Another tab, or this one before a reload, began a turn. */
  #join(turnId: string): void {
    if (this.#running || this.#turnId === turnId) return;
    void this.#follow({ turnId }, undefined);
  }

  async #follow(start: Start, out: Outgoing | undefined): Promise<void> {
    const { signal } = this.#life;
    this.#running = true;
    this.#turnId = 'turnId' in start ? start.turnId : undefined;
    this.#watch.state();
    let reply: Entry | undefined;
    const turn = new Turn(
      this.#client,
      this.#clock,
      {
        cut: (cut) => {
          if (cut) this.#happen(navigator.onLine ? 'cut' : 'offline');
          if (cut && !reply && navigator.onLine) this.#host.report('host-unreachable', this.#host.server);
        },
        event: (event, answer) => {
          if (!signal.aborted) reply = this.#hearTurn(event, answer, reply, out);
        },
      },
      signal,
    );
    try {
      const answer = await turn.run(start);
      if (signal.aborted) return;
      this.#finished(answer, reply);
    } catch (error) {
      if (signal.aborted) return;
      this.#running = false;
      await this.#failed(error, reply, out, start);
      return;
    }
    this.#pump();
  }

  #hearTurn(
    event: StreamEvent,
    answer: Answer,
    reply: Entry | undefined,
    out: Outgoing | undefined,
  ): Entry | undefined {
    if (event.type === 'turn') {
      this.#happen('accepted');
      return this.#accepted(answer, out);
    }
    if (event.type === 'state') this.#setStatus(event.state);
    if (event.type === 'escalation') {
      const { rule_id: ruleId, action, message } = event.escalation;
      this.#host.emit('escalation', { ruleId, action, message });
    }
    if (!reply) return undefined;
    if (answer.text) this.#happen('words');
    hear(reply, answer);
    if (event.type !== 'done') this.#watch.entry(reply);
    return reply;
  }

  #accepted({ turn }: Answer, out: Outgoing | undefined): Entry | undefined {
    if (!turn) return undefined;
    this.#turnId = turn.turn_id;
    this.#conversationId = turn.conversation_id;
    if (out && this.#queue[0] === out) {
      this.#queue.shift();
      this.#visitor.sent(out.id);
      // A message that a closed tab left may have arrived after all: then it is here twice.
      const double = this.entries.find((e) => e !== out.entry && e.messageId === turn.message_id);
      if (double) this.#remove(double);
      Object.assign(out.entry, { status: 'complete', messageId: turn.message_id });
      this.#watch.entry(out.entry);
      out.settle({ sent: true, messageId: turn.message_id });
      this.#host.emit('send', { text: out.entry.text });
      if (this.#visitor.mark) this.#tabs.tell({ kind: 'turn', mark: this.#visitor.mark, turnId: turn.turn_id });
    }
    if (this.#stopWanted) {
      this.#stopWanted = false;
      this.stop();
    }
    const reply =
      this.entries.find((e) => e.messageId === turn.reply_id) ??
      entry('assistant', turn.reply_id, { messageId: turn.reply_id });
    Object.assign(reply, { status: 'streaming', text: '', citations: [], failure: undefined, note: '' });
    this.#add(reply);
    return reply;
  }

  #finished(answer: Answer, reply: Entry | undefined): void {
    this.#running = false;
    const { error, finish } = answer;
    if (reply) {
      if (conclude(reply, answer)) this.#watch.entry(reply);
      else this.#remove(reply);
    }
    this.#happen(error ? 'failed' : 'finished');
    this.#watch.state();
    if (error) this.#host.emit('error', { code: error.code, message: error.message });
    else if (reply?.text) {
      const { text, citations, messageId = '' } = reply;
      const answered = finish?.answered !== false;
      this.#host.emit('message', { messageId, role: 'assistant', text, citations, answered });
    }
  }

  /** The host refused, or no token will come. */
  async #failed(error: unknown, reply: Entry | undefined, out: Outgoing | undefined, start: Start): Promise<void> {
    if (this.#refuse(error, 'request' in start && !start.request.conversation_id)) {
      this.#unsent(out, error, false);
      return;
    }
    const code = error instanceof ApiError ? error.code : '';
    if (code === 'TURN_IN_PROGRESS' && out) {
      this.#happen('cut');
      await backoff(1, this.#clock, this.#life.signal).catch(() => undefined);
      return this.#life.signal.aborted ? undefined : this.#restore();
    }
    if (code === 'NOT_FOUND' && 'request' in start && start.request.conversation_id) {
      this.#conversationId = null; // it was closed or deleted: the message begins a new one
      this.#pump();
      return;
    }
    this.#happen('failed');
    if (!out || reply) {
      if (reply) Object.assign(reply, { status: 'interrupted' });
      return this.#restore();
    }
    this.#unsent(out, error, true);
    this.#pump();
  }

  #unsent(out: Outgoing | undefined, error: unknown, drop: boolean): void {
    this.#watch.state();
    if (!out) return;
    const failure = failureOf(error);
    Object.assign(out.entry, { status: 'failed', failure });
    if (this.#queue[0] === out) this.#queue.shift();
    if (drop) this.#visitor.sent(out.id);
    this.#watch.entry(out.entry);
    out.settle({ sent: false, error: failure });
    this.#host.emit('error', failure);
  }

  /** Whether the error means that there will be no chat here; then it is shown and said. */
  #refuse(error: unknown, first = false): boolean {
    const happening = refusal(error, this.#host, first);
    if (happening) this.#happen(happening);
    return happening !== undefined;
  }

  #setStatus({ status, agent, position }: StateEvent): void {
    const changed = status !== this.status;
    this.#set({
      status,
      agent: agent ?? (status === 'human' ? this.agent : undefined),
      position: position ?? undefined,
    });
    const person = status === 'waiting' || status === 'human';
    this.#listen(person);
    this.#happen(status === 'waiting' ? 'waiting' : status === 'human' ? 'human' : 'released');
    if (changed) this.#host.emit('status', { status });
  }

  /** Hears what a person says, as long as one may. */
  #listen(on: boolean): void {
    if (!on && !this.#live) return;
    const { signal } = this.#life;
    this.#live ??= loadLive(this.#client, this.#clock, {
      message: (message) => this.#said(message),
      typing: (who, typing) => this.#set({ typing: typing ? who : '' }),
      state: (state) => this.#setStatus(state),
      turn: (turnId) => this.#join(turnId),
    });
    void this.#live.then(
      (live) => live.listen(on && !signal.aborted),
      () => (this.#live = undefined),
    );
  }

  /** A person, or another tab of the visitor, said something. */
  #said(message: Message): void {
    this.typing = '';
    if (this.entries.some((e) => e.messageId === message.id)) return;
    const said = fromMessage(message);
    if (said.role === 'agent' && !said.agent) said.agent = this.agent;
    this.#add(said);
    this.#watch.state();
    if (said.role === 'agent') {
      this.#host.emit('message', {
        messageId: message.id,
        role: 'agent',
        text: said.text,
        citations: [],
        answered: true,
      });
    }
  }

  #hear(news: News): void {
    if (!this.#met || !this.#visitor.is(news.mark)) return;
    if (news.kind === 'turn') {
      if (!this.#running) void this.#restore();
    } else if (news.kind === 'fresh') {
      this.#endVisit();
      this.#conversationId = news.conversationId ?? null;
      this.#watch.reset();
      this.#happen('reset');
      this.#happen('restored');
    } else {
      this.#visitor.forget();
      this.#endVisit();
      this.#watch.reset();
      this.#watch.draft('');
      this.#happen('reset');
      this.#host.tokens.refresh();
    }
  }

  #questionOf(reply: Entry): Entry | undefined {
    const before = this.entries.slice(0, this.entries.indexOf(reply));
    return before.reverse().find((e) => e.role === 'user');
  }

  #add(added: Entry): void {
    if (!this.entries.includes(added)) this.entries.push(added);
    this.#watch.entry(added);
  }

  #remove(removed: Entry): void {
    this.entries = this.entries.filter((e) => e !== removed);
    this.#watch.removed(removed);
  }
}
