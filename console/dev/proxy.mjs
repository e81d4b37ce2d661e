// For development only: passes requests for the API on to a server (TACHO_URL), whose session cookie
// the browser then has from this address.
import http from 'node:http';

const ROUTES = /^\/(api|log|openapi\.json|docs|healthz|readyz)(\/|$|\?)/;

export class Proxy {
  constructor(upstream) {
    this.upstream = new URL(upstream);
  }

  // Answers a request of the API; false when it is for a file of the console.
  async answer(request, response) {
    if (!ROUTES.test(request.url)) return false;
    const { hostname, port } = this.upstream;
    const headers = { ...request.headers, host: this.upstream.host };
    const asked = http.request({ hostname, port, path: request.url, method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    asked.on('error', () => response.writeHead(502).end());
    response.on('close', () => asked.destroy());
    request.pipe(asked);
    return true;
  }
}
