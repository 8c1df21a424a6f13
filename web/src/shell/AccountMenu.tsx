import { Menu, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import type { Me } from '../api/types';
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
    <Menu position="top-start" width={210}>
      <Menu.Target>
        <UnstyledButton className={css.footButton} aria-label={`Account: ${name}`}>
          <Icon name="person" />
          <span className="truncate">{name}</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Appearance</Menu.Label>
        {(['light', 'dark', 'auto'] as const).map((s) => (
          <Menu.Item key={s} closeMenuOnClick={false} leftSection={<Icon name={s === 'light' ? 'sun' : s === 'dark' ? 'moon' : 'settings'} />} rightSection={colorScheme === s ? <Icon name="check" size={13} /> : undefined} onClick={() => setColorScheme(s)}>
            {s === 'light' ? 'Light' : s === 'dark' ? 'Dark' : 'As the system'}
          </Menu.Item>
        ))}
        <Menu.Label>Density</Menu.Label>
        {(['compact', 'comfortable'] as const).map((d) => (
          <Menu.Item key={d} closeMenuOnClick={false} rightSection={density === d ? <Icon name="check" size={13} /> : undefined} onClick={() => setPrefs({ density: d })}>
            {d === 'compact' ? 'Compact' : 'Comfortable'}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={() => void navigate({ to: '/account' as never })}>Account and sign-ins</Menu.Item>
        {me?.kind !== 'dev' && <Menu.Item onClick={() => void signOut(navigate)}>Sign out</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  );
}
