// A server that lies: it stands before the real one, passes everything on, and alters what it is told to
// alter. The console is loaded from it, so it has nobody else to ask.
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of an answer; undefined leaves it as it is. */
export type Lie = (path: string, body: string) => string | undefined;

export class Liar {
  /** Who answers questions. The console itself always comes from the first. */
  upstream: string;
  lie: Lie = () => undefined;
  readonly #server: http.Server;
  readonly #files: string;

  constructor(upstream: string) {
    this.upstream = upstream;
    this.#files = upstream;
    this.#server = http.createServer((request, response) => this.#answer(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const isQuestion = /^\/(api|log)\//.test(request.url ?? '/');
    const { hostname, port, host } = new URL(isQuestion ? this.upstream : this.#files);
    const headers = { ...request.headers, host, 'accept-encoding': 'identity' };
    const path = request.url ?? '/';
    const asked = http.request({ hostname, port, path, method: request.method, headers }, (answer) => {
      const isJson = (answer.headers['content-type'] ?? '').includes('json');
      if (isJson) void this.#alter(path, answer, response);
      else {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      }
    });
    asked.on('error', () => response.destroy());
    response.on('close', () => asked.destroy());
    request.pipe(asked);
  }

  async #alter(path: string, answer: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces).toString();
    const told = this.lie(path, body) ?? body;
    const headers: http.OutgoingHttpHeaders = { ...answer.headers, 'content-length': Buffer.byteLength(told) };
    delete headers['transfer-encoding'];
    response.writeHead(answer.statusCode ?? 502, headers);
    response.end(told);
  }
}
