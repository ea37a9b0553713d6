/**
 * A pure decoder of `text/event-stream`: bytes in, frames out, no timers and no connection.
 * It may be cut anywhere: inside a UTF-8 character, between CR and LF, in the middle of a field name.
 * Follows the WHATWG rules, but for `retry:`: when to come back is the reader's own business.
 */
export interface Frame {
  /** Name of the event; "" for an unnamed one. */
  event: string;
  data: string;
  /** The last id seen on this stream, which is the place to resume from once this frame was applied. */
  id: string;
}

export class SseDecoder {
  readonly #utf8 = new TextDecoder('utf-8');
  #rest = '';
  #afterCr = false;
  #data: string[] = [];
  #event = '';
  #id: string;
  readonly #frames: Frame[] = [];

  constructor(lastEventId = '') {
    this.#id = lastEventId;
  }

  /** Takes the next bytes and returns the frames they complete. */
  push(bytes: Uint8Array): Frame[] {
    return this.#read(this.#utf8.decode(bytes, { stream: true }));
  }

  /**
   * Ends the stream. A frame without its closing empty line is dropped, as the rules ask:
   * it may be half of one, and the server will send it again.
   */
  flush(): Frame[] {
    const frames = this.#read(this.#utf8.decode());
    this.#rest = '';
    this.#data = [];
    this.#event = '';
    return frames;
  }

  #read(text: string): Frame[] {
    if (this.#afterCr && text !== '') {
      if (text.startsWith('\n')) text = text.slice(1);
      this.#afterCr = false;
    }
    const from = this.#rest.length;
    const buffer = this.#rest + text;
    let start = 0;
    for (let i = from; i < buffer.length; i++) {
      const c = buffer.charCodeAt(i);
      if (c !== 10 && c !== 13) continue;
      this.#line(buffer.slice(start, i));
      if (c === 13) {
        if (i + 1 === buffer.length) this.#afterCr = true;
        else if (buffer.charCodeAt(i + 1) === 10) i++;
      }
      start = i + 1;
    }
    this.#rest = buffer.slice(start);
    return this.#frames.splice(0);
  }

  #line(line: string): void {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return; // a heartbeat
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
  }

  #dispatch(): void {
    if (this.#data.length > 0) this.#frames.push({ event: this.#event, data: this.#data.join('\n'), id: this.#id });
    this.#data = [];
    this.#event = '';
  }
}
