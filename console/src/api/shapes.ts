// What the views rely on in each answer.
import type { Shape } from './narrow';

const checkpoint: Shape = { origin: 'string', size: 'number', root: 'string' };
const record: Shape = {
  index: 'number',
  recorded_at: 'string',
  kind: 'string',
  state: 'string',
  event_type: 'string?',
  agent_name: 'string?',
  outcome: 'string?',
  content: 'object?',
  redactions: 'array?',
};
const node: Shape = { id: 'string', index: 'number', depth: 'number', offset_ms: 'number', status: 'string' };
const active: Shape = { events: 'number', errors: 'number', first_seen: 'string', last_seen: 'string' };
const named: Shape = { index: 'number' };
const log: Shape = { name: 'string', origin: 'string', size: 'number', status: 'string', keys: 'array', may: 'array?' };

export const shapes = {
  record,
  page: { checkpoint, events: [record], next: 'string?' },
  trace: {
    checkpoint,
    events: [record],
    nodes: [node],
    edges: [{ from: 'string', to: 'string', kind: 'string' }],
    totals: { events: 'number', errors: 'number', agents: 'array', tools: 'array', costs: 'array' },
    findings: { gaps: 'array', orphans: 'array', circles: 'array', reordered: 'array', unreadable: 'array' },
  },
  log,
  logs: { logs: [log] },
  signInIssuers: { issuers: [{ name: 'string', address: 'string' }] },
  agents: { checkpoint, agents: [{ agent: 'string', ...active }], beyond: 'number?' },
  sessions: { checkpoint, sessions: [{ session: 'string', ...active }], beyond: 'number?' },
  evidence: { origin: 'string', index: 'number', entry: 'string', record: 'object', proof: 'string', vkeys: 'array' },
  report: { report: 'string', checkpoint, period: 'object', records: 'object' },
  holds: { holds: [{ hold: 'string', since: 'string', select: 'object', reason: 'string', record: 'number' }] },
  erasures: {
    checkpoint,
    erasures: [{ select: 'object', scope: 'string', reason: 'string', at: 'string' }],
    next: 'string?',
  },
  plan: { clock: 'string', policy: 'object', classes: 'array', schedule: { on: 'boolean', every_s: 'number' } },
  examination: {
    checkpoint,
    verdict: 'string',
    summary: 'string',
    timeline: [{ ...named, time: 'string', action: 'string', status: 'string' }],
    timeline_left_out: 'number',
    root_cause: 'object?',
    other_failures: [{ ...named, cause: 'string', relation: 'string' }],
    consequences: [{ ...named, kind: 'string', status: 'string', is_linked: 'boolean' }],
    blast_radius: 'object?',
    blind_spots: [{ kind: 'string', sentence: 'string', events: 'array' }],
    recommendations: [{ rule: 'string', action: 'string', because: 'string', events: 'array' }],
    evidence: [named],
  },
  pack: {
    pack: 'string',
    title: 'string',
    limits: 'string',
    records: 'number',
    counts: 'object',
    controls: [{ id: 'string', clause: 'string', verdict: 'string', found: 'string', events: [named] }],
  },
  rows: { checkpoint, columns: 'array', rows: 'array', truncated: 'boolean' },
  held: { hold: 'string' },
  released: { released: 'string' },
  erased: { records: 'number', scope: 'string', record: 'number' },
  expired: { records: 'number', held: 'number' },
  ledger: { ledger: 'array' },
  session: { subject: 'string', roles: 'array', expires_at: 'string?' },
} satisfies Record<string, Shape>;
