// The names by which the console speaks of what the API answers. The types themselves are generated
// from docs/openapi.json (`npm run types`); what stands here beside them the description leaves open.
import type { components } from './schema';

type Schemas = components['schemas'];

export type Problem = Schemas['Problem'];
export type Checkpoint = Schemas['Checkpoint'];
export type LogHealth = Schemas['LogHealth'];
export type LogList = Schemas['LogList'];
export type Evidence = Schemas['Evidence'];
export type TraceNode = Schemas['Node'];
export type TraceEdge = Schemas['Edge'];
export type AgentActivity = Schemas['AgentActivity'];
export type ActiveAgent = Schemas['ActiveAgent'];
export type SessionActivity = Schemas['SessionActivity'];
export type ActiveSession = Schemas['ActiveSession'];
export type Hold = Schemas['Hold'];
export type Holds = Schemas['Holds'];
export type Erasure = Schemas['Erasure'];
export type Erasures = Schemas['Erasures'];
export type Plan = Schemas['Plan'];
export type Outcome = Schemas['Outcome'];
export type Tokens = Schemas['Tokens'];
export type Cost = Schemas['Cost'];
export type Report = Schemas['Report'];
export type LedgerNames = Schemas['LedgerNames'];

/** What redaction did at one place of an event. */
export interface Redaction {
  path: string;
  rule: string;
  action: string;
}

/** A record, with the members of an event that the description names at `NewEvent`. */
export type EventRecord = Omit<Schemas['Record'], 'content'> &
  Partial<Omit<Schemas['NewEvent'], 'event_type' | 'event_id' | 'params' | 'result' | 'reasoning' | 'error'>> & {
    content?: Record<string, unknown>;
    principal?: { issuer: string; subject: string; method?: string };
    redactions?: Redaction[];
    model?: { provider?: string; requested?: string; responded?: string };
  };

export interface Page {
  checkpoint: Checkpoint;
  events: EventRecord[];
  next?: string;
}

export interface Findings {
  unreadable: unknown[];
  reordered: unknown[];
  orphans: unknown[];
  circles: unknown[];
  gaps: unknown[];
}

export interface Share {
  name: string;
  events: number;
  errors: number;
}

export interface Totals {
  events: number;
  started_at: string | null;
  ended_at: string | null;
  duration_ms: number | null;
  errors: number;
  tokens?: { total?: number; input?: number; output?: number };
  costs: { amount: string; currency: string | null }[];
  agents: Share[];
  tools: Share[];
}

export interface Trace {
  checkpoint: Checkpoint;
  events: EventRecord[];
  nodes: TraceNode[];
  edges: TraceEdge[];
  totals: Totals;
  findings: Findings;
}

/** Who is signed in. */
export interface Session {
  subject: string;
  roles: string[];
  expires_at?: string | null;
}
