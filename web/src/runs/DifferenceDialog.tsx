import { Modal } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import '../theme/forms';
import { useFocusBack } from '../shared/keys';
import { pickView } from '../shared/Values';
import { useView } from '../state/url';
import { Contrast, type Selection } from './Difference';
import { where } from './queries';

/** DifferenceDialog is Contrast over a page that has no room beside its table. */
export function DifferenceDialog({ words, ask, onClose }: { words: string; ask: Selection; onClose: () => void }) {
  useFocusBack();
  const view = useView();
  const navigate = useNavigate();
  const from = ask.selected_from ?? ask.from;
  const to = ask.selected_to ?? ask.to;
  const narrow = (term: string) =>
    void navigate({ to: '/runs' as never, search: ((old: Record<string, unknown>) => ({ ...pickView(old), q: [ask.query, ask.selection, term].filter(Boolean).join(' '), ...(from ? { from } : {}), ...(to ? { to } : {}) })) as never });
  return (
    <Modal opened onClose={onClose} title="What is different" size={640}>
      {/* a dialog of a row lies in that row: what is pressed here is not meant for it */}
      <div data-testid="difference" onClick={(e) => e.stopPropagation()} onKeyDown={(e) => e.key !== 'Escape' && e.stopPropagation()}>
        <Contrast words={words} ask={{ from: view.from, to: view.live ? undefined : view.to, ...ask, query: where(view, ask.query ?? '') }} onNarrow={narrow} />
      </div>
    </Modal>
  );
}
