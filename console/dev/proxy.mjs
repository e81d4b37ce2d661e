// For development only: passes requests for the API on to a server (TACHO_URL), with the token of the
// session where the server has no sessions of its own. Which it is, it asks the server once.
import http from 'node:http';
import { Sessions } from './session.mjs';

const ROUTES = /^\/(api|log|openapi\.json|docs|healthz|readyz)(\/|$|\?)/;

export class Proxy {
  constructor(upstream) {
    this.upstream = new URL(upstream);
    this.sessions = new Sessions(upstream);
    this.hasSessions = undefined;
  }

  // Answers a request of the API; false when it is for a file of the console.
  async answer(request, response) {
    if (!ROUTES.test(request.url)) return false;
    this.hasSessions ??= await this.#asks();
    if (!this.hasSessions && (await this.sessions.answer(request, response))) return true;
    this.#pass(request, response);
    return true;
  }

  // A server with sessions refuses who has none; one without does not know the address.
  async #asks() {
    const asked = await fetch(new URL('/api/v1/session', this.upstream), { headers: { 'x-tacho-console': '1' } });
    return asked.status !== 404;
  }

  #pass(request, response) {
    const headers = { ...request.headers, host: this.upstream.host };
    if (!this.hasSessions) {
      delete headers.cookie;
      const token = this.sessions.token(request);
      if (token) headers.authorization = `Bearer ${token}`;
    }
    const { hostname, port } = this.upstream;
    const asked = http.request({ hostname, port, path: request.url, method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    response.on('close', () => asked.destroy());
    asked.on('error', () => {
      if (!response.headersSent) response.writeHead(502, { 'content-type': 'text/plain' });
      response.end('the server at TACHO_URL does not answer');
    });
    request.pipe(asked);
  }
}
