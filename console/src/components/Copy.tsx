// Copies a text, and says that it did.
import { useState } from 'preact/hooks';
import { Icon } from './Icon';

export function Copy({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1_500);
  };
  return (
    <button
      type="button"
      class="button quiet icon"
      title={`Copy ${what}`}
      aria-label={done ? 'Copied' : `Copy ${what}`}
      onClick={() => void copy()}
    >
      <Icon name={done ? 'good' : 'copy'} />
    </button>
  );
}
