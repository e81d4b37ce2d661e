// For development only: what a server says about sessions, emulated for one that has none yet. It
// keeps the token of each session here, as the server would, and never in the browser.
import { randomUUID } from 'node:crypto';

const PATH = '/api/v1/session';
const COOKIE = 'tacho_session';

const problem = (response, status, code, detail) => {
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ type: `urn:tachograph:problem:${code}`, title: code, status, code, detail }));
};

export class Sessions {
  #tokens = new Map();

  constructor(upstream) {
    this.upstream = upstream;
  }

  // The token of a request's session.
  token(request) {
    const cookie = /(?:^|;\s*)tacho_session=([^;]+)/.exec(request.headers.cookie ?? '');
    return cookie ? this.#tokens.get(cookie[1]) : undefined;
  }

  // Answers a request about sessions; false when it is about something else.
  async answer(request, response) {
    if (new URL(request.url, 'http://console').pathname !== PATH) return false;
    if (request.headers['x-tacho-console'] !== '1') {
      problem(response, 403, 'csrf', 'the header x-tacho-console is missing');
      return true;
    }
    if (request.method === 'POST') await this.#open(request, response);
    else if (request.method === 'DELETE') this.#close(request, response);
    else this.#show(request, response);
    return true;
  }

  async #open(request, response) {
    const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    const asked = await fetch(`${this.upstream}/api/v1/logs`, { headers: { authorization: `Bearer ${token}` } });
    if (asked.status === 401) {
      problem(response, 401, 'unknown_token', 'this server does not know the token; `tacho token create` makes one');
      return;
    }
    const id = randomUUID();
    this.#tokens.set(id, token);
    response.writeHead(204, { 'set-cookie': `${COOKIE}=${id}; HttpOnly; SameSite=Strict; Path=/` });
    response.end();
  }

  #close(request, response) {
    response.writeHead(204, { 'set-cookie': `${COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0` });
    response.end();
  }

  #show(request, response) {
    if (!this.token(request)) {
      problem(response, 401, 'no_credentials', 'sign in first');
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ subject: 'development', roles: [], expires_at: null }));
  }
}
