// A feed reads the same, however it is cut.
import { expect, test } from 'vitest';
import { SentEvents } from './sse';

const FEED = 'id: 7\nevent: record\ndata: {"a":1}\n\n: alive\n\nevent: missed\ndata: {"records":3}\n\n';

test('a feed that is cut anywhere gives the same events', () => {
  const whole = new SentEvents().push(FEED);
  expect(whole).toEqual([
    { id: '7', event: 'record', data: '{"a":1}' },
    { id: undefined, event: 'missed', data: '{"records":3}' },
  ]);
  for (let cut = 0; cut <= FEED.length; cut += 1) {
    const events = new SentEvents();
    expect([...events.push(FEED.slice(0, cut)), ...events.push(FEED.slice(cut))]).toEqual(whole);
  }
});

test('what is not whole is kept', () => {
  expect(new SentEvents().push('data: half')).toEqual([]);
});

test('line ends of both kinds, and data of several lines', () => {
  expect(new SentEvents().push('id: 1\r\nevent: x\r\ndata: a\r\ndata:b\r\n\r\ndata:  c\n\n')).toEqual([
    { id: '1', event: 'x', data: 'a\nb' },
    { id: undefined, event: 'message', data: ' c' },
  ]);
});
