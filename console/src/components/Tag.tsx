// A word with a tone: colour says the same as the word and its sign, never more.
import type { ComponentChildren } from 'preact';
import type { TagTone } from '../model/tone';
import { Icon, type IconName } from './Icon';

export type { TagTone };

const SIGNS: Partial<Record<TagTone, IconName>> = { bad: 'bad', warn: 'warn', denied: 'denied' };

export function Tag({
  tone = 'plain',
  children,
  title,
}: {
  tone?: TagTone;
  children: ComponentChildren;
  title?: string;
}) {
  const sign = SIGNS[tone];
  return (
    <span class={`tag ${tone}`} title={title}>
      {sign && <Icon name={sign} />}
      {children}
    </span>
  );
}
