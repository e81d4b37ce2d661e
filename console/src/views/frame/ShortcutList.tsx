// The list of keys, as a dialog of the browser's own.
import { useEffect, useRef } from 'preact/hooks';

const KEYS: [string[], string][] = [
  [['/'], 'Search'],
  [['?'], 'This list'],
  [['g', 'o'], 'Overview'],
  [['g', 'l'], 'Live'],
  [['g', 'e'], 'Explore'],
  [['g', 's'], 'Sessions'],
  [['g', 'a'], 'Agents'],
  [['g', 'r'], 'Reports'],
  [['g', 'i'], 'Integrity'],
  [['j'], 'Next event, in lists'],
  [['k'], 'Previous event'],
  [['Esc'], 'Close the event'],
  [['p'], 'Pause or go on, in Live'],
];

export function ShortcutList({ isOpen, close }: { isOpen: boolean; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen && dialog.current?.open === false) dialog.current.showModal();
  }, [isOpen]);
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="keys-title">
      <h1 id="keys-title">Keyboard</h1>
      <dl class="keys">
        {KEYS.map(([keys, what]) => (
          <>
            <dt class="line">
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </>
        ))}
      </dl>
      <button type="button" class="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  );
}
