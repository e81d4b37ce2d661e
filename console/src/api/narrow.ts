// Answers are not believed but looked at: each has the members that the views rely on, or it is an
// error that names the first one that is wrong.
import { UnexpectedAnswer } from './problem';

type Kind = 'string' | 'number' | 'boolean' | 'object' | 'array' | 'any';
/** Members by name; `?` behind a kind lets the member be absent or null. */
export interface Shape {
  [name: string]: Kind | `${Kind}?` | Shape | [Shape];
}

const kindOf = (value: unknown): Kind => {
  if (Array.isArray(value)) return 'array';
  const kind = typeof value;
  if (kind === 'string' || kind === 'number' || kind === 'boolean') return kind;
  return value !== null && kind === 'object' ? 'object' : 'any';
};

function check(value: unknown, shape: Shape, at: string): void {
  if (kindOf(value) !== 'object') throw new UnexpectedAnswer(`${at} is no object`);
  const members = value as Record<string, unknown>;
  for (const [name, wanted] of Object.entries(shape)) {
    checkMember(members[name], wanted, `${at}.${name}`);
  }
}

function checkMember(value: unknown, wanted: Shape[string], at: string): void {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(value)) throw new UnexpectedAnswer(`${at} is no list`);
    value.forEach((item, index) => check(item, wanted[0], `${at}[${index}]`));
  } else if (typeof wanted === 'object') {
    check(value, wanted, at);
  } else {
    const optional = wanted.endsWith('?');
    if (optional && (value === undefined || value === null)) return;
    const kind = wanted.replace('?', '');
    if (kind !== 'any' && kindOf(value) !== kind) throw new UnexpectedAnswer(`${at} is no ${kind}`);
  }
}

/** The value as what it was found to be. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller says what the shape is of
export function narrow<T>(value: unknown, shape: Shape, name: string): T {
  check(value, shape, name);
  return value as T;
}
