// The key that this browser expects. A key that comes from the server proves nothing about who signed;
// so it is given by hand, from another way, and kept in this browser.
import { useEffect, useState } from 'preact/hooks';
import type { LogHealth } from '../../api/types';
import { Card } from '../../components/Card';
import { Copy } from '../../components/Copy';
import { Tag } from '../../components/Tag';
import { expectKey, expectedKey } from '../../hooks/kept';
import { fingerprint } from '../../model/fingerprint';

export function ExpectedKey({ health }: { health: LogHealth }) {
  const [expected, setExpected] = useState(() => expectedKey(health.origin));
  const [prints, setPrints] = useState<string[]>([]);
  useEffect(() => {
    void Promise.all(health.keys.map(fingerprint)).then(setPrints);
  }, [health.keys.join()]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem('key') as HTMLInputElement;
    expectKey(health.origin, field.value.trim());
    setExpected(field.value.trim());
  };
  return (
    <Card title="Keys" width="w6">
      <div class="stack">
        {health.keys.map((key, at) => (
          <dl class="facts" key={key}>
            <dt>Key</dt>
            <dd class="mono">
              {key} <Copy text={key} what="the key" />
            </dd>
            <dt>Fingerprint</dt>
            <dd class="mono">{prints[at]}</dd>
            <dt>Expected</dt>
            <dd>
              {expected === '' ? (
                <Tag tone="warn">nobody said so</Tag>
              ) : expected === key || expected === prints[at] ? (
                <Tag tone="good">yes, by this browser</Tag>
              ) : (
                <Tag tone="warn">another one is</Tag>
              )}
            </dd>
          </dl>
        ))}
        <form class="stack" onSubmit={submit}>
          <label class="label">
            The key that you expect, or its fingerprint. Ask for it by another way than this page.
            <input
              class="field mono"
              name="key"
              value={expected}
              placeholder="origin+id+key, or 64 digits"
              spellcheck={false}
              autocomplete="off"
            />
          </label>
          <div>
            <button class="button">Keep in this browser</button>
          </div>
        </form>
      </div>
    </Card>
  );
}
