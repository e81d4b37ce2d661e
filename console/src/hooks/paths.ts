// The addresses of the console's pages, in one place. A log's pages lie below `/logs/NAME`.

const part = encodeURIComponent;

export const paths = {
  overview: (log: string) => `/logs/${part(log)}`,
  live: (log: string) => `/logs/${part(log)}/live`,
  explore: (log: string, query = '') => `/logs/${part(log)}/explore${query === '' ? '' : `?${query}`}`,
  event: (log: string, id: string | number) => `/logs/${part(log)}/events/${part(String(id))}`,
  trace: (log: string, id: string) => `/logs/${part(log)}/traces/${part(id)}`,
  session: (log: string, id: string) => `/logs/${part(log)}/sessions/${part(id)}`,
  compare: (log: string, left: string) => `/logs/${part(log)}/compare?left=${part(left)}`,
  sessions: (log: string) => `/logs/${part(log)}/sessions`,
  agents: (log: string) => `/logs/${part(log)}/agents`,
  agent: (log: string, name: string) => `/logs/${part(log)}/agents/${part(name)}`,
  reports: (log: string, query = '') => `/logs/${part(log)}/reports${query === '' ? '' : `?${query}`}`,
  integrity: (log: string) => `/logs/${part(log)}/integrity`,
  lifecycle: (log: string) => `/logs/${part(log)}/lifecycle`,
};

export interface Route {
  log: string | undefined;
  page: string;
  id: string | undefined;
}

/** What an address is of. */
export function routeOf(path: string): Route {
  const parts = path
    .split('/')
    .filter((it) => it !== '')
    .map(decoded);
  if (parts[0] !== 'logs') return { log: undefined, page: parts.length === 0 ? 'home' : 'nowhere', id: undefined };
  const [, log, page = 'overview', id, ...more] = parts;
  return { log, page: more.length > 0 ? 'nowhere' : page, id };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
