import assert from 'node:assert/strict';
import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { emptyAnswer, fold, type Answer } from './answer.ts';
import { eventOf } from './events.ts';
import { SseDecoder, type Frame } from './sse.ts';

const folder = new URL('./fixtures/', import.meta.url);
const fixtures = readdirSync(folder).filter((name) => name.endsWith('.sse'));
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function framesOf(parts: Uint8Array[]): Frame[] {
  const decoder = new SseDecoder();
  return [...parts.flatMap((part) => decoder.push(part)), ...decoder.flush()];
}

function answerOf(frames: Frame[]): Answer {
  return frames.reduce((answer, frame) => {
    const event = eventOf(frame);
    return event ? fold(answer, event) : answer;
  }, emptyAnswer());
}

interface Expected {
  text?: string;
  finish_reason?: string;
  error?: string;
  state?: string;
  citations?: number;
  withdrawn?: boolean;
  /** The fixture begins in the middle of a turn. */
  resumed?: boolean;
}

assert.ok(fixtures.length >= 7, 'the hand-written fixtures are there');

for (const name of fixtures) {
  describe(name, () => {
    const raw = new Uint8Array(readFileSync(new URL(name, folder)));
    const expectedFile = new URL(name.replace(/\.sse$/, '.json'), folder);
    const expected = (existsSync(expectedFile) ? JSON.parse(readFileSync(expectedFile, 'utf8')) : {}) as Expected;
    const whole = framesOf([raw]);

    test('says what was expected', () => {
      const answer = answerOf(whole);
      assert.equal(answer.done, true, '[DONE] is always last');
      assert.ok((answer.error === undefined) !== (answer.finish === undefined), 'exactly one of error and finish');
      if (!expected.resumed) assert.ok(answer.turn, 'turn comes first');
      if (expected.text !== undefined) assert.equal(answer.text, expected.text);
      assert.equal(answer.finish?.finish_reason, expected.finish_reason ?? answer.finish?.finish_reason);
      assert.equal(answer.error?.code, expected.error ?? answer.error?.code);
      assert.equal(answer.state?.status, expected.state ?? answer.state?.status);
      assert.equal(answer.citations.length, expected.citations ?? answer.citations.length);
      assert.equal(answer.withdrawn, expected.withdrawn ?? answer.withdrawn);
    });

    test('reads the same cut in two at every byte', () => {
      for (let cut = 0; cut <= raw.length; cut++) {
        assert.deepEqual(framesOf([raw.slice(0, cut), raw.slice(cut)]), whole, `cut at byte ${cut}`);
      }
    });

    test('reads the same byte by byte', () => {
      assert.deepEqual(framesOf([...raw].map((byte) => Uint8Array.of(byte))), whole);
    });

    test('every prefix gives a prefix of the frames', () => {
      for (let cut = 0; cut <= raw.length; cut++) {
        const some = framesOf([raw.slice(0, cut)]);
        assert.deepEqual(some, whole.slice(0, some.length));
      }
    });
  });
}

describe('SseDecoder', () => {
  const one = (data: string): Frame[] => [{ event: '', data, id: '' }];
  const rows: [string, string, Frame[]][] = [
    ['LF', 'data: a\n\n', one('a')],
    ['CR', 'data: a\r\r', one('a')],
    ['CRLF', 'data: a\r\n\r\n', one('a')],
    ['mixed ends', 'data: a\r\n\n', one('a')],
    ['only the first space is dropped', 'data:  a\n\n', one(' a')],
    ['no colon', 'data\n\n', one('')],
    ['an id with NUL is ignored', 'id: a\0b\ndata: x\n\n', one('x')],
    ['a frame without data is nothing', 'event: x\n\ndata: a\n\n', one('a')],
    ['an unfinished frame is dropped', 'data: a\n\ndata: b\n', one('a')],
    ['BOM', '\ufeffdata: a\n\n', one('a')],
    ['BOM in the middle is data', 'data: \ufeff\n\n', one('\ufeff')],
  ];
  for (const [name, stream, frames] of rows) {
    test(name, () => {
      const raw = bytes(stream);
      for (let cut = 0; cut <= raw.length; cut++) {
        assert.deepEqual(framesOf([raw.slice(0, cut), raw.slice(cut)]), frames, `cut at byte ${cut}`);
      }
    });
  }

  test('an id stays until the next one, and a resumed stream starts from the one asked for', () => {
    const decoder = new SseDecoder('1-5-1');
    const frames = decoder.push(bytes('data: a\n\nid: 1-9-1\ndata: b\n\ndata: c\n\n'));
    assert.deepEqual(
      frames.map((frame) => frame.id),
      ['1-5-1', '1-9-1', '1-9-1'],
    );
  });

  test('heartbeats and retry say nothing', () => {
    assert.deepEqual(framesOf([bytes(': a\n\n: b\n\nretry: 300\n\n:\n')]), []);
  });
});

describe('eventOf', () => {
  const frame = (event: string, data: string): Frame => ({ event, data, id: '' });
  test('ignores what it does not know', () => {
    assert.equal(eventOf(frame('toString', '{}')), undefined);
    assert.equal(eventOf(frame('x', '{}')), undefined);
    assert.equal(eventOf(frame('', '{"choices":[]}')), undefined);
    assert.equal(eventOf(frame('', 'null')), undefined);
    assert.equal(eventOf(frame('', '{"choices":[{"delta":{"content":null}}]}')), undefined);
  });
  test('refuses what is not JSON', () => {
    assert.throws(() => eventOf(frame('', '<html>')), SyntaxError);
  });
});
