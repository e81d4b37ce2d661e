// A list of any length of which only what is seen is drawn. All rows have one height, so a million of
// them scroll like ten.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

const BEYOND = 8;
/** Browsers draw no element that is much taller. */
const TALLEST_PX = 30_000_000;

interface Props {
  label: string;
  count: number;
  rowHeight: number;
  height: number | string;
  row: (index: number, style: { top: string; height: string }) => ComponentChildren;
  /** Is told when the end comes near. */
  nearEnd?: () => void;
  /** Whether the newest rows, which are the last, stay in sight. */
  follow?: boolean;
}

export function VirtualList({ label, count, rowHeight, height, row, nearEnd, follow = false }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 600 });
  const look = (): void => {
    if (box.current) setSeen({ top: box.current.scrollTop, height: box.current.clientHeight });
  };
  useEffect(() => {
    const observer = new ResizeObserver(look);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [count, follow]);
  const shown = Math.min(count, Math.floor(TALLEST_PX / rowHeight));
  const first = Math.max(0, Math.floor(seen.top / rowHeight) - BEYOND);
  const last = Math.min(shown, Math.ceil((seen.top + seen.height) / rowHeight) + BEYOND);
  useEffect(() => {
    if (last >= shown && count > 0) nearEnd?.();
  }, [last, shown, count]);
  const rows = Array.from({ length: Math.max(0, last - first) }, (_, at) =>
    row(first + at, { top: `${(first + at) * rowHeight}px`, height: `${rowHeight}px` }),
  );
  return (
    <div
      ref={box}
      class="rows"
      role="region"
      aria-label={label}
      tabIndex={0}
      style={{ height: typeof height === 'number' ? `${height}px` : height }}
      onScroll={look}
    >
      <div class="space" style={{ height: `${shown * rowHeight}px` }}>
        {rows}
      </div>
    </div>
  );
}
