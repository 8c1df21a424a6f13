import { Modal } from '@mantine/core';
import { useFocusBack, useGroups } from '../shared/keys';
import { Keys } from '../shared/Layout';
import { dialogs } from './dialogs';
import '../theme/forms';
import css from './shell.module.css';

/** Help lists the shortcuts that work on this page: exactly those registered. */
export function Help() {
  useFocusBack();
  const groups = useGroups();
  return (
    <Modal opened onClose={dialogs.close} title="Shortcuts of this page" size={620}>
      <div className={css.help}>
        {[...groups].reverse().map((g, i) => (
          <div key={i} className={css.helpGroup}>
            <h3>{g.name}</h3>
            <dl>
              {g.list.map((s) => (
                <Row key={s.keys} keys={s.keys} label={s.label} />
              ))}
            </dl>
          </div>
        ))}
        <div className={css.helpGroup}>
          <h3>In tables</h3>
          <dl>
            <Row keys="j" label="Next row (also down)" />
            <Row keys="k" label="Previous row (also up)" />
            <Row keys="enter" label="Open the row" />
            <Row keys="home" label="First row" />
            <Row keys="end" label="Last row" />
          </dl>
        </div>
      </div>
    </Modal>
  );
}

function Row({ keys, label }: { keys: string; label: string }) {
  return (
    <>
      <dt>
        <Keys keys={keys} />
      </dt>
      <dd>{label}</dd>
    </>
  );
}
