/** A network between browser and server that can be cut in the middle of a word. */
import { connect, createServer, type Server, type Socket } from 'node:net';

import { freePort } from './installation.ts';

export class Link {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #down = false;
  url = '';

  private constructor(to: number) {
    this.#server = createServer((near) => {
      if (this.#down) return void near.destroy();
      const far = connect(to, '127.0.0.1');
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
  }

  /** Leads to the server at an address. */
  static async to(address: string): Promise<Link> {
    const link = new Link(Number(new URL(address).port));
    const port = await freePort();
    await new Promise<void>((done) => link.#server.listen(port, '127.0.0.1', done));
    link.url = `http://127.0.0.1:${port}`;
    return link;
  }

  /** Breaks every connection; `down` says whether new ones come through. */
  cut(down = false): void {
    this.#down = down;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#down = false;
  }

  stop(): void {
    this.cut(true);
    this.#server.close();
  }
}
