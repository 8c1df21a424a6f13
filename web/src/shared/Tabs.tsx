import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import css from './shared.module.css';

export interface Tab {
  id: string;
  label: ReactNode;
  /** How many are behind it; nothing when it is not known. */
  n?: number;
}

/** Tabs choose one of several views of a page. What is chosen belongs into the URL. */
export function Tabs({ label = 'Show', tabs, on, onPick }: { label?: string; tabs: Tab[]; on: string; onPick: (id: string) => void }) {
  return (
    <div className={css.tabs} role="group" aria-label={label}>
      {tabs.map((t) => (
        <Button key={t.id} size="compact-sm" variant={on === t.id ? 'filled' : 'default'} aria-pressed={on === t.id} onClick={() => onPick(t.id)}>
          {t.label}
          {t.n !== undefined && <span className={css.tabN}>{t.n}</span>}
        </Button>
      ))}
    </div>
  );
}
