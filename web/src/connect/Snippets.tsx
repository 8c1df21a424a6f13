import { useState } from 'react';
import { useMe } from '../api/queries';
import { Snippet } from '../shared/Layout';
import { languages, snippet, target, type Language } from './snippets';
import css from './connect.module.css';

/** Snippets shows what to paste, by language. */
export function Snippets({ apiKey, agent = 'my-first-agent' }: { apiKey?: string; agent?: string }) {
  const [language, setLanguage] = useState<Language>('Environment');
  const dev = useMe()?.dev;
  const key = apiKey ?? (dev ? undefined : 'YOUR_INTAKE_KEY');
  return (
    <div>
      <div className={css.tabs} role="tablist" aria-label="Language">
        {languages.map((l, i) => (
          <button
            key={l}
            type="button"
            role="tab"
            id={`tab-${l}`}
            aria-selected={l === language}
            aria-controls="snippet"
            tabIndex={l === language ? 0 : -1}
            className={css.tab}
            onClick={() => setLanguage(l)}
            onKeyDown={(e) => {
              const to = e.key === 'ArrowRight' ? i + 1 : e.key === 'ArrowLeft' ? i - 1 : undefined;
              if (to === undefined) return;
              const next = languages[(to + languages.length) % languages.length]!;
              setLanguage(next);
              document.getElementById(`tab-${next}`)?.focus();
            }}
          >
            {l}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="snippet" aria-labelledby={`tab-${language}`}>
        <Snippet text={snippet(language, target(location.origin, key), agent)} label={language === 'Environment' ? 'environment variables' : `commands for ${language}`} />
      </div>
    </div>
  );
}
