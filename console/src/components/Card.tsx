// A framed part of a page, with a heading; and a figure with what it means.
import type { ComponentChildren } from 'preact';

interface CardProps {
  title: string;
  width?: string;
  aside?: ComponentChildren;
  flush?: boolean;
  children: ComponentChildren;
}

export function Card({ title, width = '', aside, flush = false, children }: CardProps) {
  return (
    <section class={`card ${width}`} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {aside && <div class="push line">{aside}</div>}
      </header>
      {flush ? children : <div class="body">{children}</div>}
    </section>
  );
}

interface StatProps {
  label: string;
  value: ComponentChildren;
  note?: ComponentChildren;
  tone?: 'bad';
}

export function Stat({ label, value, note, tone }: StatProps) {
  return (
    <dl class="card stat w3">
      <dt>{label}</dt>
      <dd>
        <span class={tone ?? ''}>{value}</span>
        {note && <div class="note">{note}</div>}
      </dd>
    </dl>
  );
}
