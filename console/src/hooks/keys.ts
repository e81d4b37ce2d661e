// The keyboard: single keys and two in a row (`g` then `e`), never while somebody types.
import { useEffect } from 'preact/hooks';

export type Shortcuts = Record<string, () => void>;
const SECOND_KEY_MS = 1_200;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

export function useShortcuts(shortcuts: Shortcuts): void {
  useEffect(() => {
    let first = '';
    let timer = 0;
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isTyping(event.target) && event.key !== 'Escape') return;
      const act = shortcuts[`${first} ${event.key}`.trim()] ?? shortcuts[event.key];
      clearTimeout(timer);
      first = first === '' && event.key === 'g' ? 'g' : '';
      timer = window.setTimeout(() => (first = ''), SECOND_KEY_MS);
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener('keydown', press);
    return () => {
      clearTimeout(timer);
      removeEventListener('keydown', press);
    };
  }, [shortcuts]);
}
