import { useMantineColorScheme } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import type { Me } from '../api/types';
import { Dropdown, MenuItem, MenuLabel, MenuLine } from '../shared/Dropdown';
import { Icon } from '../shared/icons';
import { setPrefs, usePrefs } from '../state/prefs';
import { signOut } from './signout';
import css from './shell.module.css';

/** AccountMenu: who one is here, how the console looks, one's sign-ins, the way out. */
export function AccountMenu({ me }: { me: Me | undefined }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { density } = usePrefs();
  const navigate = useNavigate();
  const name = me?.person?.full_name || me?.person?.name || (me?.kind === 'dev' ? 'Development mode' : 'Account');
  return (
    <Dropdown
      label={`Account: ${name}`}
      className={css.footButton}
      trigger={
        <>
          <Icon name="person" />
          <span className="truncate">{name}</span>
        </>
      }
    >
      {(close) => (
        <>
          <MenuLabel>Appearance</MenuLabel>
          {(['light', 'dark', 'auto'] as const).map((s) => (
            <MenuItem key={s} icon={s === 'light' ? 'sun' : s === 'dark' ? 'moon' : 'settings'} checked={colorScheme === s} onPick={() => setColorScheme(s)}>
              {s === 'light' ? 'Light' : s === 'dark' ? 'Dark' : 'As the system'}
            </MenuItem>
          ))}
          <MenuLabel>Density</MenuLabel>
          {(['compact', 'comfortable'] as const).map((d) => (
            <MenuItem key={d} checked={density === d} onPick={() => setPrefs({ density: d })}>
              {d === 'compact' ? 'Compact' : 'Comfortable'}
            </MenuItem>
          ))}
          <MenuLine />
          <MenuItem
            onPick={() => {
              close();
              void navigate({ to: '/account' as never });
            }}
          >
            Account and sign-ins
          </MenuItem>
          {me?.kind !== 'dev' && <MenuItem onPick={() => void signOut(navigate)}>Sign out</MenuItem>}
        </>
      )}
    </Dropdown>
  );
}
