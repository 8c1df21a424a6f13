import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Mark as MarkValue } from '../api/types';
import { Mark, pickView, type Level } from '../shared';
import css from './marks.module.css';

const level = (state: string): Level => (state === 'good' || state === 'warn' || state === 'bad' ? state : 'unknown');

/** How a mark's state is said in words. */
export const markWords: Record<string, string> = { good: 'in order', warn: 'look', bad: 'bad', unknown: 'not known' };

/** The five marks, in the same order everywhere. */
export const markNames = ['objective', 'behaviour', 'data', 'identity', 'cost'];

/** What the five marks mean, for the head of their column. */
export const marksHelp = 'O objective: does it meet what was promised? B behaviour: do its runs fail, is something out of the ordinary? D data: are the sources that it reads fresh? I identity: is it registered, does it prove who it is? C cost: does a run cost what it did before, is its budget left? A dashed mark is not known.';

/** PathLink goes to a page of ours that the server names with its search. */
export function PathLink({ path, className, title, label, children }: { path: string; className?: string; title?: string; label?: string; children: ReactNode }) {
  const [to, search = ''] = path.split('?');
  const given = Object.fromEntries(new URLSearchParams(search));
  return (
    <Link className={className} title={title} aria-label={label} to={to as never} search={((old: Record<string, unknown>) => ({ ...pickView(old), ...given })) as never}>
      {children}
    </Link>
  );
}

/** FiveMarks are an agent's marks; each leads to what shows why it stands so. */
export function FiveMarks({ marks, plain }: { marks: MarkValue[]; plain?: boolean }) {
  return (
    <span className={css.marks}>
      {markNames.map((name) => {
        const m = marks.find((x) => x.name === name);
        const state = m?.state ?? 'unknown';
        const label = `${name}: ${markWords[state] ?? state}${m?.reason ? `, ${m.reason}` : ''}`;
        const mark = <Mark level={level(state)} letter={name[0]!.toUpperCase()} label={label} size={15} />;
        if (plain || !m?.path) return <span key={name}>{mark}</span>;
        return (
          <PathLink key={name} path={m.path} title={label} label={label}>
            {mark}
          </PathLink>
        );
      })}
    </span>
  );
}

/** Reasons are why the marks that are not good are so, in words, each a way to what shows it. */
export function Reasons({ marks }: { marks: MarkValue[] }) {
  const look = marks.filter((m) => m.state === 'bad' || m.state === 'warn').sort((a, b) => Number(a.state !== 'bad') - Number(b.state !== 'bad'));
  if (look.length === 0) return <span className="muted">nothing stands out</span>;
  return (
    <span className="soft truncate">
      {look.map((m, i) => (
        <span key={m.name}>
          {i > 0 && '; '}
          {m.path ? (
            <PathLink className="link" path={m.path} title={`${m.name}: ${m.reason}`}>
              {m.reason}
            </PathLink>
          ) : (
            m.reason
          )}
        </span>
      ))}
    </span>
  );
}

/** MarkList is the five with their reasons, for the page of one agent. */
export function MarkList({ marks }: { marks: MarkValue[] }) {
  return (
    <ul className={css.list}>
      {markNames.map((name) => {
        const m = marks.find((x) => x.name === name);
        const state = m?.state ?? 'unknown';
        return (
          <li key={name}>
            <Mark level={level(state)} letter={name[0]!.toUpperCase()} label={name} words />
            <span>
              {m?.path ? (
                <PathLink className="link" path={m.path}>
                  {m.reason || markWords[state]}
                </PathLink>
              ) : (
                m?.reason || markWords[state]
              )}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
