import { memo } from 'react';
import css from './run.module.css';
import { hasOdd, label, pieces } from './visible';

/** Said is text from outside: characters that hide or reorder are shown as marks, and its direction stays its own. */
export const Said = memo(function Said({ text }: { text: string }) {
  if (!hasOdd(text)) return <bdi>{text}</bdi>;
  return (
    <bdi>
      {pieces(text).map((p, i) =>
        'text' in p ? (
          p.text
        ) : (
          <span key={i} className={css.odd} title={`${label(p.code)} ${p.name}`}>
            {label(p.code)}
          </span>
        ),
      )}
    </bdi>
  );
});
