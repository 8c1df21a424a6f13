import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { pickView, Tabs } from '../shared';

const KPIsPage = lazy(() => import('./KPIsPage').then((m) => ({ default: m.KPIsPage })));
const Settling = lazy(() => import('./Settling').then((m) => ({ default: m.Settling })));

/** OutcomesPage: the figures, or by what the outcomes behind them are decided. */
export function OutcomesPage() {
  const { show } = useSearch({ strict: false }) as { show?: string };
  return <Suspense>{show === 'settling' ? <Settling /> : <KPIsPage />}</Suspense>;
}

/** Ways are the parts of the page. */
export function Ways({ on }: { on: string }) {
  const navigate = useNavigate();
  return <Tabs tabs={[{ id: '', label: 'KPIs' }, { id: 'settling', label: 'How runs are settled' }]} on={on} onPick={(id) => void navigate({ to: '.', search: ((old: Record<string, unknown>) => ({ ...pickView(old), show: id || undefined })) as never })} />;
}
