// Choosing one of a few: tabs for parts of a page, segments for a setting. Arrow keys move in tabs.
export interface Option {
  id: string;
  label: string;
}

interface Props {
  label: string;
  options: readonly Option[];
  value: string;
  choose: (id: string) => void;
}

export function Tabs({ label, options, value, choose }: Props) {
  const move = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = options.findIndex((option) => option.id === value);
    const next = options[(at + step + options.length) % options.length];
    if (!next) return;
    choose(next.id);
    (event.currentTarget as HTMLElement).querySelector<HTMLElement>(`[data-id="${next.id}"]`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={move}>
      {options.map((option) => (
        <button
          key={option.id}
          type="button"
          role="tab"
          data-id={option.id}
          aria-selected={option.id === value}
          tabIndex={option.id === value ? 0 : -1}
          onClick={() => choose(option.id)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}

export function Segments({ label, options, value, choose }: Props) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option.id} type="button" aria-pressed={option.id === value} onClick={() => choose(option.id)}>
          {option.label}
        </button>
      ))}
    </div>
  );
}
