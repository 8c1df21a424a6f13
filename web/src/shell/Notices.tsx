import { ActionIcon, Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { noticesQuery } from '../api/queries';
import type { Notice, NoticeAction } from '../api/types';
import { Problem } from '../api/client';
import { runAction } from './actions';
import { Dropdown, MenuItem, MenuLine } from '../shared/Dropdown';
import { Icon } from '../shared/icons';
import css from './shell.module.css';

const hiddenKey = 'reeve.notices.hidden';

/** Notices is the slim bar of what this installation says to everybody, with its buttons. */
export function Notices() {
  const { data } = useQuery(noticesQuery);
  const [hidden, setHidden] = useState<string[]>(() => JSON.parse(sessionStorage.getItem(hiddenKey) ?? '[]') as string[]);
  const items = (data?.items ?? []).filter((n) => !hidden.includes(n.id));
  if (items.length === 0) return null;
  const hide = (id: string) => {
    const next = [...hidden, id];
    sessionStorage.setItem(hiddenKey, JSON.stringify(next));
    setHidden(next);
  };
  return (
    <>
      {items.slice(0, 2).map((n) => (
        <NoticeBar key={n.id} notice={n} onHide={() => hide(n.id)} />
      ))}
    </>
  );
}

/** useNoticeAction performs a notice's button and shows what changed. */
export function useNoticeAction() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (a: NoticeAction) => runAction(a),
    onSuccess: (reload) => {
      if (reload) location.assign('/');
      else void client.invalidateQueries();
    },
  });
}

function NoticeBar({ notice, onHide }: { notice: Notice; onHide: () => void }) {
  const act = useNoticeAction();
  const navigate = useNavigate();
  const actions = notice.actions ?? [];
  const links = notice.links ?? [];
  // Three buttons fit beside the text; more go into a menu.
  const inline = actions.length + links.length <= 3;
  return (
    <div className={css.notice} role="status">
      <span className={css.noticeText} title={notice.text}>
        <strong>{notice.title}</strong> {act.error ? (act.error instanceof Problem ? act.error.message : 'That did not work.') : notice.text}
      </span>
      <span className={css.noticeActions}>
        {inline &&
          actions.map((a) => (
            <Button key={a.label} size="compact-xs" loading={act.isPending && act.variables === a} onClick={() => act.mutate(a)}>
              {a.label}
            </Button>
          ))}
        {inline &&
          links.map((l) => (
            <Button key={l.path} size="compact-xs" variant="subtle" onClick={() => void navigate({ href: l.path, reloadDocument: l.beside })}>
              {l.label}
            </Button>
          ))}
        {!inline && (
          <Dropdown
            label={`${notice.title}: ${actions.length > 0 ? 'actions' : 'links'}`}
            align="end"
            className={css.noticeMenu}
            disabled={act.isPending}
            trigger={
              <>
                {act.isPending ? 'Working' : actions.length > 0 ? 'Actions' : 'Links'} <Icon name="down" size={12} />
              </>
            }
          >
            {(close) => (
              <>
                {actions.map((a) => (
                  <MenuItem
                    key={a.label}
                    onPick={() => {
                      close();
                      act.mutate(a);
                    }}
                  >
                    {a.label}
                  </MenuItem>
                ))}
                {links.length > 0 && actions.length > 0 && <MenuLine />}
                {links.map((l) => (
                  <MenuItem
                    key={l.path}
                    onPick={() => {
                      close();
                      void navigate({ href: l.path, reloadDocument: l.beside });
                    }}
                  >
                    {l.label}
                  </MenuItem>
                ))}
              </>
            )}
          </Dropdown>
        )}
      </span>
      <ActionIcon size={22} aria-label={`Hide: ${notice.title}`} onClick={onHide}>
        <Icon name="close" size={13} />
      </ActionIcon>
    </div>
  );
}
