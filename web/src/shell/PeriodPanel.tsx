import { Button, SegmentedControl, TextInput, UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import { instant, presets } from '../shared/period';
import { useSetView, useView, type Compare } from '../state/url';
import '../theme/forms';
import css from './shell.module.css';

const compares: { value: Compare; label: string }[] = [
  { value: 'previous', label: 'Before it' },
  { value: 'none', label: 'None' },
];

/** PeriodPanel sets the period by preset or by hand, and what it is compared with. */
export function PeriodPanel({ close }: { close: () => void }) {
  const view = useView();
  const set = useSetView();
  const [from, setFrom] = useState(view.from);
  const [to, setTo] = useState(view.to);
  const badFrom = instant(from) === undefined;
  const badTo = instant(to) === undefined;
  return (
    <div className={css.period}>
      <div className={css.presets}>
        {presets.map((x) => (
          <UnstyledButton
            key={x.from}
            className={css.preset}
            aria-pressed={view.from === x.from && view.to === 'now'}
            onClick={() => {
              set({ from: x.from, to: undefined });
              close();
            }}
          >
            {x.label}
          </UnstyledButton>
        ))}
      </div>
      <form
        className={css.custom}
        onSubmit={(e) => {
          e.preventDefault();
          if (badFrom || badTo) return;
          set({ from, to: to === 'now' ? undefined : to });
          close();
        }}
      >
        <TextInput label="From" value={from} onChange={(e) => setFrom(e.currentTarget.value.trim())} error={badFrom && 'For example -90m or 2026-01-31T08:00Z'} />
        <TextInput label="To" value={to} onChange={(e) => setTo(e.currentTarget.value.trim())} error={badTo && 'For example now or 2026-01-31T09:00Z'} />
        <div>
          <div className="muted" id="compare-with">
            Compare with
          </div>
          <SegmentedControl fullWidth aria-labelledby="compare-with" data={compares} value={view.cmp} onChange={(v) => set({ cmp: v as Compare })} />
        </div>
        <Button type="submit" variant="filled" disabled={badFrom || badTo}>
          Show this period
        </Button>
      </form>
    </div>
  );
}
