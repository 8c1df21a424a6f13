import { useState } from 'react';
import { ProblemNote, Snippet } from '../shared';
import css from './connect.module.css';
import { useFrameworks } from './data';

/** Snippets shows what to paste to send a first trace, by language. */
export function Snippets({ apiKey, agent = 'my-first-agent' }: { apiKey?: string; agent?: string }) {
  const q = useFrameworks(agent, undefined, !!apiKey);
  const [picked, pick] = useState('opentelemetry');
  const all = (q.data?.items ?? []).filter((f) => f.group === 'First steps');
  const now = all.find((f) => f.id === picked);
  if (!now) return <ProblemNote error={q.error} retry={() => void q.refetch()} />;
  const label = (title: string) => title.replace(/^A first trace (in|with) /, '').replace(/^Any OpenTelemetry SDK$/, 'Environment');
  return (
    <div>
      <div className={css.tabs} role="tablist" aria-label="Language">
        {all.map((f, i) => (
          <button
            key={f.id}
            type="button"
            role="tab"
            id={`tab-${f.id}`}
            aria-selected={f.id === picked}
            aria-controls="snippet"
            tabIndex={f.id === picked ? 0 : -1}
            className={css.tab}
            onClick={() => pick(f.id)}
            onKeyDown={(e) => {
              const to = e.key === 'ArrowRight' ? i + 1 : e.key === 'ArrowLeft' ? i - 1 : undefined;
              if (to === undefined) return;
              const next = all[(to + all.length) % all.length]!.id;
              pick(next);
              document.getElementById(`tab-${next}`)?.focus();
            }}
          >
            {label(f.title)}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="snippet" aria-labelledby={`tab-${picked}`}>
        {now.parts.map((p) => (
          <Snippet key={p.title} text={apiKey ? p.text.replaceAll('YOUR_INTAKE_KEY', apiKey) : p.text} label={p.title} />
        ))}
      </div>
    </div>
  );
}
