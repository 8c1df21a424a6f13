import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { Copy, Panel, ProblemNote, Time } from '../shared';
import type { IncidentDetail, IncidentReview } from './data';
import css from './incidents.module.css';

/** Review is what is written after it: drafted from the timeline, edited here, taken away as Markdown or printed. */
export function Review({ i, may, onDone }: { i: IncidentDetail; may: boolean; onDone: () => void }) {
  const client = useQueryClient();
  const key = ['incident', i.id, 'review'];
  const q = useQuery({ queryKey: key, queryFn: ({ signal }) => api.get<IncidentReview>(`/incidents/${i.id}/review`, undefined, signal), staleTime: Infinity });
  const [text, setText] = useState<string>();
  const now = text ?? q.data?.text ?? '';
  const save = useMutation({
    mutationFn: (done: boolean) => api.put<IncidentReview>(`/incidents/${i.id}/review`, { text: now, revision: q.data?.revision ?? 0, done }),
    onSuccess: (r) => {
      client.setQueryData(key, r);
      setText(undefined);
      onDone();
    },
  });
  const download = () => {
    const a = document.createElement('a');
    a.href = URL.createObjectURL(new Blob([now], { type: 'text/markdown' }));
    a.download = `incident-${i.number}.md`;
    a.click();
    URL.revokeObjectURL(a.href);
  };
  const pdf = useMutation({
    mutationFn: () => api.get<{ name: string; pdf: string }>(`/incidents/${i.id}/review-pdf`),
    onSuccess: (r) => {
      const a = document.createElement('a');
      a.href = URL.createObjectURL(new Blob([Uint8Array.from(atob(r.pdf), (c) => c.charCodeAt(0))], { type: 'application/pdf' }));
      a.download = r.name;
      a.click();
      URL.revokeObjectURL(a.href);
    },
  });
  return (
    <Panel
      title="Review"
      padded
      note={q.data && (q.data.revision === 0 ? 'drafted from the timeline, not saved' : <>{q.data.state}, {q.data.author} <Time at={q.data.updated_at} /></>)}
      actions={
        <>
          <Copy text={now} label="Copy the Markdown" />
          <Button size="compact-xs" onClick={download}>Markdown</Button>
          <Button size="compact-xs" loading={pdf.isPending} onClick={() => pdf.mutate()} title="Of what is saved">PDF</Button>
          <Button size="compact-xs" onClick={() => window.print()}>Print</Button>
        </>
      }
    >
      <ProblemNote error={q.error ?? save.error ?? pdf.error} />
      {q.data && (
        <div className={css.review}>
          <textarea aria-label="The review" value={now} readOnly={!may} onChange={(e) => setText(e.currentTarget.value)} />
          {may && (
            <div className={css.acts}>
              <Button variant="filled" loading={save.isPending && !save.variables} disabled={text === undefined && q.data.revision > 0} onClick={() => save.mutate(false)}>Save</Button>
              <Button loading={save.isPending && save.variables} disabled={i.state !== 'resolved' && i.state !== 'reviewed'} title={i.state !== 'resolved' && i.state !== 'reviewed' ? 'Resolve it first' : undefined} onClick={() => save.mutate(true)}>Save as done</Button>
            </div>
          )}
        </div>
      )}
    </Panel>
  );
}
