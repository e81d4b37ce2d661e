// An issuer of OpenID Connect, as small as the tests need one: a page on which somebody signs in or does not,
// and a token for the code that comes of it, for whoever has the proof key.
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import http from 'node:http';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function token(claims) {
  const signed = `${part({ alg: 'ES256', kid: 'one', typ: 'JWT' })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** Listens on a port of this machine; answers its own address. */
export async function listen(port) {
  const issuer = `http://127.0.0.1:${port}`;
  const codes = new Map();
  const answers = {
    '/.well-known/openid-configuration': () => ({
      issuer,
      jwks_uri: `${issuer}/keys`,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
    }),
    '/keys': () => ({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'ES256' }] }),
    '/token': (form) => {
      const asked = codes.get(form.get('code'));
      codes.delete(form.get('code'));
      const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      if (asked?.get('code_challenge') !== challenge) return undefined;
      const now = Math.floor(Date.now() / 1000);
      const times = { iat: now, exp: now + 600 };
      const who = { iss: issuer, sub: 'ann', aud: asked.get('client_id'), groups: ['auditors'] };
      return {
        access_token: 'none',
        token_type: 'Bearer',
        id_token: token({ ...who, ...times, nonce: asked.get('nonce') }),
      };
    },
  };
  const page = (asked) => {
    const code = randomUUID();
    codes.set(code, asked);
    const back = (said) => {
      const query = new URLSearchParams({ ...said, state: asked.get('state') ?? '', iss: issuer });
      return `${asked.get('redirect_uri')}?${query}`.replaceAll('&', '&amp;');
    };
    return `<!doctype html><title>Example</title><a href="${back({ code })}">I am Ann</a>
      <a href="${back({ error: 'access_denied' })}">Never mind</a>`;
  };
  const server = http.createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', issuer);
    let body = '';
    for await (const piece of request) body += piece;
    if (pathname === '/authorize') {
      response.writeHead(200, { 'content-type': 'text/html' }).end(page(searchParams));
      return;
    }
    const answer = answers[pathname]?.(new URLSearchParams(body));
    response.writeHead(answer ? 200 : 400, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { error: 'invalid_grant' }));
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return issuer;
}
