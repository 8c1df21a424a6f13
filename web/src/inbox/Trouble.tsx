import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api } from '../api/client';
import type { components } from '../api/openapi';
import { useMay } from '../api/queries';
import type { List } from '../api/types';
import { Mark, plural, ProblemNote, Time } from '../shared';
import { severities, type Incident } from '../incidents/data';
import { visible } from '../tools/data';
import { Key, Row, useHands, type RowProps } from './Rows';

export type Page = components['schemas']['Page'];
export type Finding = components['schemas']['Finding'];

/** useTrouble are the incidents that nobody took up, those whose next call comes soonest first, and the findings that nobody judged. */
export function useTrouble() {
  const incidents = useQuery({ queryKey: ['inbox-incidents'], queryFn: async ({ signal }) => (await api.get<List<Incident>>('/incidents', { state: 'open', limit: 100 }, signal)).items, refetchInterval: 10_000, retry: false });
  const pages = useQuery({ queryKey: ['inbox-pages'], queryFn: async ({ signal }) => (await api.get<List<Page>>('/pages', { limit: 200 }, signal)).items.filter((p) => p.state === 'paging'), refetchInterval: 10_000, retry: false });
  const findings = useQuery({ queryKey: ['inbox-findings'], queryFn: async ({ signal }) => (await api.get<List<Finding>>('/findings', { state: 'open', verdict: 'none', limit: 100 }, signal)).items.filter((f) => f.severity !== 'info'), refetchInterval: 15_000, retry: false });
  return { incidents, pages, findings };
}

export function byDeadline(incidents: Incident[], pages: Page[]): { i: Incident; page?: Page }[] {
  const of = new Map(pages.filter((p) => p.kind === 'incident').map((p) => [p.object, p]));
  const when = (p?: Page) => (p?.next_at ? Date.parse(p.next_at) : Infinity);
  return incidents.map((i) => ({ i, page: of.get(i.id) })).sort((x, y) => when(x.page) - when(y.page) || Date.parse(x.i.opened_at) - Date.parse(y.i.opened_at));
}

/** IncidentRow is an incident that nobody has: taken up with one press. */
export function IncidentRow({ i, page, ...row }: { i: Incident; page?: Page } & RowProps) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const may = useMay('AcknowledgeIncident');
  const ack = useMutation({
    mutationFn: () => api.post(`/incidents/${i.id}/acknowledge`, {}),
    onSettled: () => {
      for (const key of ['inbox-incidents', 'inbox-pages', 'incidents', 'overview']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const open = () => void navigate({ to: `/incidents/${i.number}` as never });
  useHands(row, { a: () => may && ack.mutate(), enter: open });
  return (
    <Row
      id={i.id}
      row={row}
      lead={<Mark {...(severities[i.severity] ?? severities.info!)} />}
      head={`Incident ${i.number}: ${visible(i.title)}`}
      meta={
        <>
          {i.team || 'no team'}, since <Time at={i.opened_at} />, {plural(i.signals, 'signal')}.{' '}
          {page?.next_at ? <>The next person is called <Time at={page.next_at} />.</> : page ? 'Everybody was called.' : 'Nobody is called about it.'}
          <ProblemNote error={ack.error} />
        </>
      }
      actions={
        <>
          {may && (
            <Button size="compact-sm" loading={ack.isPending} onClick={() => ack.mutate()}>
              I have it <Key k="a" on={row.active} />
            </Button>
          )}
          <Button size="compact-sm" variant={row.active ? 'filled' : 'default'} onClick={open}>
            Open <Key k="enter" on={row.active} />
          </Button>
        </>
      }
    />
  );
}

/** FindingRow is something that a detector saw and nobody judged. */
export function FindingRow({ f, ...row }: { f: Finding } & RowProps) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const may = useMay('JudgeFinding');
  const judge = useMutation({
    mutationFn: (verdict: string) => api.post(`/findings/${encodeURIComponent(f.id)}/judge`, { verdict }),
    onSettled: () => {
      for (const key of ['inbox-findings', 'findings', 'overview']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const open = () => void navigate({ to: '/findings' as never, search: { finding: f.id } as never });
  useHands(row, { a: () => may && judge.mutate('useful'), d: () => may && judge.mutate('noise'), enter: open });
  return (
    <Row
      id={f.id}
      row={row}
      lead={<Mark {...(severities[f.severity] ?? severities.info!)} />}
      head={visible(f.agent ? `${f.agent}: ${f.text}` : f.text)}
      meta={
        <>
          {f.team || 'no team'}, last <Time at={f.last_seen} />
          {!f.authenticated && ', claimed'}
          <ProblemNote error={judge.error} />
        </>
      }
      actions={
        <>
          {may && (
            <>
              <Button size="compact-sm" onClick={() => judge.mutate('noise')}>
                Noise <Key k="d" on={row.active} />
              </Button>
              <Button size="compact-sm" onClick={() => judge.mutate('useful')}>
                Useful <Key k="a" on={row.active} />
              </Button>
            </>
          )}
          <Button size="compact-sm" variant={row.active ? 'filled' : 'default'} onClick={open}>
            Open <Key k="enter" on={row.active} />
          </Button>
        </>
      }
    />
  );
}
