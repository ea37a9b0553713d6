/**
 * Plays the ScaiGrid host and the customer's site for the widget's tests, as CONTRACT §5 has it on the wire. The visitor's
 * text decides what is answered; `control` decides what goes wrong. Keeps everything in memory.
 */
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';

const dist = new URL('../../dist/widget/', import.meta.url);
const API = '/v1/modules/scaibot';
const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const hex = (n = 6) => randomBytes(n).toString('hex');

export const policies = {
  tutorial: (host) =>
    `script-src 'self' ${host}; connect-src 'self' ${host}; img-src 'self' ${host} data:; style-src 'self' 'unsafe-inline'; font-src 'self' data:`,
  strict: (host) =>
    `default-src 'none'; script-src ${host}; connect-src 'self' ${host}; img-src ${host} data:; style-src 'self'; base-uri 'none'`,
  trusted: (host) => `${policies.strict(host)}; require-trusted-types-for 'script'; trusted-types 'none'`,
  nonce: (host) =>
    `default-src 'none'; script-src 'nonce-n1' 'strict-dynamic'; connect-src 'self' ${host}; img-src data:; style-src 'self'; base-uri 'none'`,
  noconnect: (host) => `default-src 'none'; script-src ${host}; connect-src 'self'; style-src 'self'`,
};

export function startStub({ sitePort, hostPort, sitePage } = {}) {
  const control = {
    ttl: 3600,
    token: 'ok', // ok | down | 500 | html | junk | 204 | same | hang
    visitor: null,
    origin: 'ok',
    bot: 'active', // active | draft | missing
    info: {},
    cutAfter: 0, // cut the next stream after so many chunks
    pace: 8,
    refuse: [], // codes for the next POST /chat calls
    dead: false, // destroys every connection to the host
  };
  const log = [];
  const tokens = new Map();
  const conversations = new Map(); // visitor -> {id, status, messages}
  const turns = new Map();
  const byClient = new Map();
  const events = new Set();
  let minted;

  const mint = () => {
    if (control.token === 'same' && minted) return minted;
    const iat = Math.floor(Date.now() / 1000);
    const anon = control.visitor === null;
    const payload = {
      sub: anon ? `anon_${hex()}` : `sub_${control.visitor}`,
      anon,
      bot: 'bot_demo',
      jti: hex(),
      iat,
      exp: iat + control.ttl,
    };
    const token = `${b64({ alg: 'HS256', typ: 'embed+jwt' })}.${b64(payload)}.${hex(8)}`;
    tokens.set(token, { ...payload, expired: false, revoked: false });
    minted = {
      token,
      expires_at: new Date(payload.exp * 1000).toISOString(),
      ttl_seconds: control.ttl,
      token_id: payload.jti,
    };
    return minted;
  };

  const host = createServer((req, res) => void serve(req, res).catch((error) => (console.error(error), res.destroy())));
  const site = createServer((req, res) => void page(req, res).catch((error) => (console.error(error), res.destroy())));

  async function serve(req, res) {
    if (control.dead) return req.socket.destroy();
    const url = new URL(req.url, 'http://host');
    const entry = { method: req.method, path: url.pathname, headers: req.headers, at: Date.now() };
    res.setHeader('Access-Control-Allow-Origin', '*');
    res.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    if (req.method === 'OPTIONS') {
      res.writeHead(204, {
        'Access-Control-Allow-Methods': 'GET, POST, DELETE',
        'Access-Control-Allow-Headers':
          'authorization, content-type, idempotency-key, last-event-id, x-scaibot-visitor',
        'Access-Control-Max-Age': '7200',
      });
      return res.end();
    }
    const file = /^\/static\/modules\/scaibot\/([\w.-]+)$/.exec(url.pathname)?.[1];
    if (file) {
      log.push(entry);
      try {
        const body = readFileSync(new URL(file, dist));
        res.writeHead(200, { 'Content-Type': 'text/javascript; charset=utf-8', 'Cache-Control': 'no-cache' });
        return res.end(body);
      } catch {
        res.writeHead(404);
        return res.end();
      }
    }
    let body = '';
    for await (const part of req) body += part;
    entry.body = body ? JSON.parse(body) : undefined;
    log.push(entry);
    const ok = (data) => {
      res.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
      res.end(JSON.stringify({ status: 'ok', data, meta: { request_id: `req_${hex()}` } }));
    };
    const fail = (status, code, message = code, extra = {}) => {
      res.writeHead(status, { 'Content-Type': 'application/json' });
      res.end(
        JSON.stringify({
          status: 'error',
          error: { code, message, details: null, retry_after: null, ...extra },
          meta: { request_id: `req_${hex()}` },
        }),
      );
    };
    const path = url.pathname.slice(API.length);
    if (/^\/bots\/[^/]+\/embed-info$/.test(path)) {
      if (control.bot === 'missing') return fail(404, 'NOT_FOUND');
      if (control.bot === 'draft') return fail(404, 'BOT_NOT_ACTIVE');
      return ok({
        display_name: 'Demo shop',
        welcome_message: 'Hello! Ask me about **orders**, shipping or returns.',
        placeholder_text: '',
        primary_color: '',
        suggested_questions: ['How do I return an order?', 'When is my refund paid?'],
        appearance: {},
        locale: '',
        status: 'active',
        ...control.info,
      });
    }
    if (!path.startsWith('/chat')) return fail(404, 'NOT_FOUND');
    const token = tokens.get((req.headers.authorization ?? '').replace('Bearer ', ''));
    if (!token) return fail(401, 'AUTH_TOKEN_INVALID');
    if (token.expired) return fail(403, 'EMBED_TOKEN_EXPIRED');
    if (token.revoked) return fail(403, 'EMBED_TOKEN_REVOKED');
    if (control.origin !== 'ok') return fail(403, 'ORIGIN_NOT_ALLOWED');
    const key = req.headers['x-scaibot-visitor'];
    const visitor = token.anon ? (key ? `key_${key}` : undefined) : token.sub;
    if (!token.anon && key && conversations.has(`key_${key}`)) {
      conversations.set(token.sub, conversations.get(`key_${key}`));
      conversations.delete(`key_${key}`);
    }
    return chat({ req, res, path, body: entry.body, visitor, ok, fail });
  }

  async function chat({ req, res, path, body, visitor, ok, fail }) {
    const current = visitor ? conversations.get(visitor) : undefined;
    if (path === '/chat/conversation' && req.method === 'GET') {
      if (!current) return ok({ conversation: null, messages: [], turn_id: null });
      const running = [...turns.values()].find((t) => t.visitor === visitor && !t.done);
      return ok({
        conversation: { id: current.id, status: current.status },
        messages: current.messages,
        turn_id: running?.id ?? null,
      });
    }
    if (path === '/chat/conversation' && req.method === 'POST') {
      if (visitor) conversations.delete(visitor);
      return ok({ id: `conv_${hex()}`, status: 'open' });
    }
    if (path === '/chat/feedback') {
      const message = current?.messages.find((m) => m.id === body.reply_id);
      if (!message) return fail(404, 'NOT_FOUND');
      message.rating = body.rating;
      return ok({});
    }
    if (path === '/chat/events') {
      sse(res);
      events.add(res);
      res.on('close', () => events.delete(res));
      return;
    }
    const turnPath = /^\/chat\/turns\/([^/]+)(\/stop)?$/.exec(path);
    if (turnPath) {
      const turn = turns.get(turnPath[1]);
      if (!turn || turn.visitor !== visitor) return fail(404, 'NOT_FOUND');
      if (turnPath[2]) {
        turn.stopped = true;
        return ok({});
      }
      return replay(turn, req.headers['last-event-id'] ?? '', res);
    }
    if (path !== '/chat' || req.method !== 'POST') return fail(404, 'NOT_FOUND');
    const refusal = control.refuse.shift();
    if (refusal) return fail(refusal.status ?? 429, refusal.code, refusal.message, refusal.extra);
    if (!body.message || body.message.length > 8000) return fail(422, 'VALIDATION_ERROR');
    const known = byClient.get(`${visitor}:${body.client_message_id}`);
    if (known && !known.failed) return replay(known, '', res);
    const turn = begin(visitor ?? `new_${hex()}`, body, known);
    byClient.set(`${visitor}:${body.client_message_id}`, turn);
    return replay(turn, '', res);
  }

  function begin(visitor, body, again) {
    const conversation = conversations.get(visitor) ?? { id: `conv_${hex()}`, status: 'open', messages: [] };
    conversations.set(visitor, conversation);
    const at = new Date().toISOString();
    let question = again && conversation.messages.find((m) => m.id === again.messageId);
    if (!question) {
      question = { id: `msg_${hex()}`, role: 'user', content: body.message, status: 'complete', created_at: at };
      conversation.messages.push(question);
    }
    const reply = {
      id: `msg_${hex()}`,
      role: 'assistant',
      content: '',
      status: 'streaming',
      citations: [],
      rating: null,
      created_at: at,
    };
    const turn = {
      id: `turn_${hex()}`,
      visitor,
      messageId: question.id,
      lines: [],
      bytes: 0,
      n: 0,
      done: false,
      stopped: false,
      listeners: new Set(),
    };
    turns.set(turn.id, turn);
    conversation.messages.push(reply);
    named(turn, 'turn', {
      turn_id: turn.id,
      conversation_id: conversation.id,
      message_id: question.id,
      reply_id: reply.id,
    });
    void run(turn, conversation, reply, body.message);
    return turn;
  }

  const envelope = { object: 'chat.completion.chunk', choices: [] };
  function emit(turn, text) {
    turn.lines.push({ id: `1-${turn.bytes}-${turn.n}`, text });
    for (const listener of turn.listeners) listener();
  }
  function named(turn, event, data) {
    turn.n++;
    emit(turn, `event: ${event}\nid: 1-${turn.bytes}-${turn.n}\ndata: ${JSON.stringify({ ...envelope, ...data })}\n\n`);
  }
  function chunk(turn, content) {
    turn.bytes += Buffer.byteLength(content);
    emit(
      turn,
      `id: 1-${turn.bytes}-${turn.n}\ndata: ${JSON.stringify({ ...envelope, choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`,
    );
  }

  async function run(turn, conversation, reply, text) {
    const finish = (reason, fields = {}) => {
      Object.assign(reply, { status: reason === 'stopped' ? 'stopped' : 'complete' });
      named(turn, 'finish', { finish_reason: reason, answered: true, confidence: 0.9, ...fields });
      end(turn);
    };
    if (conversation.status !== 'open') {
      conversation.messages.splice(conversation.messages.indexOf(reply), 1);
      named(turn, 'state', { status: conversation.status, agent: { name: 'Mia', avatar: null } });
      return finish('handoff');
    }
    await sleep(control.wait ?? 60);
    if (/^fail/.test(text) && !turn.again) {
      chunk(turn, 'The first half');
      Object.assign(reply, { status: 'failed', content: 'The first half' });
      turn.failed = true;
      named(turn, 'error', {
        error: { code: 'BACKEND_ERROR', message: 'The model stopped answering.', retryable: true },
      });
      return end(turn);
    }
    if (/human/.test(text)) {
      named(turn, 'escalation', {
        rule_id: 'rule_1',
        action: 'queue',
        message: 'I call a colleague.',
        mode: 'replace',
      });
      chunk(turn, 'I call a colleague.');
      reply.content = 'I call a colleague.';
      conversation.status = 'waiting';
      named(turn, 'state', { status: 'waiting', position: 2 });
      return finish('handoff', { answered: false });
    }
    const answer = answerTo(text);
    for (const part of answer.text.match(/\s*\S{1,7}|\s+$/g) ?? []) {
      if (turn.stopped) return finish('stopped');
      reply.content += part;
      chunk(turn, part);
      if (control.pace) await sleep(control.pace);
    }
    if (/withdraw/.test(text)) {
      reply.content = 'I cannot say.';
      turn.bytes = Buffer.byteLength(reply.content);
      named(turn, 'replace', { content: reply.content });
    }
    if (answer.citations.length) {
      reply.citations = answer.citations;
      named(turn, 'citations', { citations: answer.citations });
    }
    named(turn, 'usage', { prompt_tokens: 1, completion_tokens: 1, model: 'stub' });
    finish('stop');
  }

  function end(turn) {
    turn.done = true;
    turn.lines.push({ id: '', text: 'data: [DONE]\n\n' });
    for (const listener of turn.listeners) listener();
  }

  const sse = (res) =>
    res
      .writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store, no-transform' })
      .flushHeaders();

  function replay(turn, after, res) {
    sse(res);
    const from = after ? turn.lines.findIndex((line) => line.id === after) : -1;
    let at = from + 1;
    let sent = 0;
    const go = () => {
      while (at < turn.lines.length) {
        if (control.cutAfter > 0 && ++sent > control.cutAfter) {
          control.cutAfter = 0;
          turn.listeners.delete(go);
          return res.destroy();
        }
        const { text } = turn.lines[at++];
        res.write(text);
        if (text.startsWith('data: [DONE]')) return res.end();
      }
    };
    turn.listeners.add(go);
    res.on('close', () => turn.listeners.delete(go));
    go();
  }

  async function page(req, res) {
    const url = new URL(req.url, 'http://site');
    log.push({ site: true, method: req.method, path: url.pathname, headers: req.headers, at: Date.now() });
    if (url.pathname === '/chat-token') return tokenPage(res);
    if (url.pathname.endsWith('.css')) {
      res.writeHead(200, { 'Content-Type': 'text/css' });
      return res.end(control.css ?? '');
    }
    if (url.pathname.endsWith('.js')) {
      res.writeHead(200, { 'Content-Type': 'text/javascript' });
      return res.end(control.js ?? '');
    }
    const policy = policies[url.searchParams.get('csp')];
    const headers = { 'Content-Type': 'text/html; charset=utf-8' };
    if (policy) headers['Content-Security-Policy'] = policy(stub.host);
    if (url.searchParams.get('coep')) headers['Cross-Origin-Embedder-Policy'] = 'require-corp';
    res.writeHead(200, headers);
    res.end((control.page ?? sitePage ?? defaultPage)(stub, url));
  }

  async function tokenPage(res) {
    const mode = control.token;
    if (mode === 'down') return res.destroy();
    if (mode === 'hang') return;
    if (mode === '204') return res.writeHead(204).end();
    if (mode === '500') return res.writeHead(500).end('{}');
    if (mode === 'html') return res.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Sign in</h1>');
    if (mode === 'junk') return res.writeHead(200, { 'Content-Type': 'application/json' }).end('{"nothing":1}');
    res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(mint()));
  }

  const stub = {
    control,
    log,
    mint,
    conversations,
    /** Marks every token handed out so far. */
    spoil: (how) => tokens.forEach((t) => (t[how] = true)),
    /** Says something as a person, to every open /chat/events. */
    live: (event, data) =>
      events.forEach((res) =>
        res.write(`event: ${event}\nid: ${Date.now()}-${hex()}\ndata: ${JSON.stringify({ ...envelope, ...data })}\n\n`),
      ),
    listening: () => events.size,
    chats: () => log.filter((l) => l.path === `${API}/chat` && l.method === 'POST'),
    site: '',
    host: '',
    async close() {
      for (const server of [host, site]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
  const listen = (server, port) =>
    new Promise((resolve) => server.listen(port ?? 0, '127.0.0.1', () => resolve(server.address().port)));
  return Promise.all([listen(site, sitePort), listen(host, hostPort)]).then(([s, h]) => {
    stub.site = `http://localhost:${s}`; // another site than the host's, not just another port
    stub.host = `http://127.0.0.1:${h}`;
    return stub;
  });
}

function defaultPage({ host }, url) {
  const attributes = [...url.searchParams]
    .filter(([name]) => name.startsWith('data-'))
    .map(([name, value]) => ` ${name}="${value.replace(/"/g, '&quot;')}"`);
  const has = (name) => url.searchParams.has(name);
  const nonce = url.searchParams.get('csp') === 'nonce' ? ' nonce="n1"' : '';
  const tag = `<script${nonce} src="${host}/static/modules/scaibot/widget.js"${has('data-bot-id') ? '' : ' data-bot-id="bot_demo"'}${
    has('data-token-url') || has('data-token') || has('notoken') ? '' : ' data-token-url="/chat-token"'
  }${attributes.join('')} async></script>`;
  const css = has('css') ? '<link rel="stylesheet" href="/page.css">' : '';
  const js = has('js') ? `<script${nonce} src="/page.js"></script>` : '';
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>River workshop</title><link rel="icon" href="data:,">${css}${js}</head>
<body><main><h1>River workshop</h1><p>${'Our shop sells lamps, desks and chairs made in a small workshop by the river. '.repeat(12)}</p>${
    has('mount') ? '<div id="my-chat" style="height: 600px;"></div>' : ''
  }<button id="page-button">Page button</button></main>${has('notag') ? '' : tag}</body></html>`;
}

const refund = {
  text: `You can return an order within **30 days** [1]. Refunds are paid back to your card within 14 days [2].

1. Sign in and open *Orders*
2. Choose **Return** and print the label
3. Bring the parcel to any post office

| Item | Refund | Fee |
| --- | --- | ---: |
| Lamp | full | 0.00 |
| Desk | full | 12.50 |

\`\`\`js
const total = items.reduce((a, b) => a + b.price, 0);
\`\`\`

See [the terms](https://shop.example/terms) for details.`,
  citations: [
    {
      n: 1,
      document_id: 'doc_1',
      title: 'Returns and refunds',
      url: 'https://shop.example/returns',
      heading: 'Returns › Period',
      quote: 'Every order can be returned within 30 days of delivery.',
      passage_id: 'psg_1',
    },
    {
      n: 2,
      document_id: 'doc_1',
      title: 'Returns and refunds',
      url: '',
      heading: 'Returns › Refunds',
      quote: 'Refunds are paid to the card that was used, within 14 days.',
      passage_id: 'psg_2',
    },
  ],
};

function answerTo(text) {
  if (/return|refund|withdraw/.test(text)) return refund;
  const long = /^long (\d+)/.exec(text);
  if (long) return { text: `${refund.text}\n\n`.repeat(Number(long[1])) + 'THE END.', citations: [] };
  const raw = /^raw ([\s\S]*)$/.exec(text);
  if (raw) return { text: raw[1], citations: [] };
  return { text: `You said: ${text}. That is all I know. Is there anything else?`, citations: [] };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const stub = await startStub({ sitePort: 8701, hostPort: 8700 });
  console.log(`site ${stub.site}, host ${stub.host}`);
}
