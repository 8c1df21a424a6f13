import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

const ten = (v: string) => Array.from({ length: 10 }, () => v) as unknown as MantineColorsTuple;

/** theme makes Mantine's components calm and dense; colours come from tokens.css. */
export const theme = createTheme({
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', 'JetBrains Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  headings: { fontFamily: 'inherit', fontWeight: '600' },
  fontSizes: { xs: '11px', sm: '12px', md: '13px', lg: '14px', xl: '16px' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.45', lg: '1.5', xl: '1.5' },
  spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
  radius: { xs: '2px', sm: '4px', md: '5px', lg: '8px', xl: '12px' },
  defaultRadius: 'md',
  primaryColor: 'accent',
  colors: {
    accent: ten('var(--r-accent)'),
    good: ten('var(--r-good)'),
    warn: ten('var(--r-warn)'),
    bad: ten('var(--r-bad-fill)'),
    quiet: ten('var(--r-text-2)'),
    red: ten('var(--r-bad-text)'),
  },
  focusRing: 'auto',
  cursorType: 'pointer',
  components: {
    Button: { defaultProps: { size: 'xs', variant: 'default' } },
    ActionIcon: { defaultProps: { size: 26, variant: 'subtle', color: 'quiet' } },
    TextInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    NumberInput: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs', comboboxProps: { shadow: 'md' } } },
    MultiSelect: { defaultProps: { size: 'xs' } },
    Checkbox: { defaultProps: { size: 'xs' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Menu: { defaultProps: { shadow: 'md', position: 'bottom-start', offset: 4, transitionProps: { duration: 0 } } },
    Popover: { defaultProps: { shadow: 'md', position: 'bottom-start', offset: 4, transitionProps: { duration: 0 } } },
    Tooltip: { defaultProps: { openDelay: 250, transitionProps: { duration: 0 }, withinPortal: true } },
    Modal: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' }, centered: false, yOffset: '12vh', transitionProps: { duration: 0 }, overlayProps: { backgroundOpacity: 1, color: 'var(--r-overlay)' } } },
    Drawer: { defaultProps: { transitionProps: { duration: 0 }, overlayProps: { backgroundOpacity: 1, color: 'var(--r-overlay)' } } },
  },
});

const shared = {
  '--mantine-color-body': 'var(--r-surface)',
  '--mantine-color-text': 'var(--r-text)',
  '--mantine-color-dimmed': 'var(--r-text-3)',
  '--mantine-color-placeholder': 'var(--r-text-3)',
  '--mantine-color-default': 'var(--r-surface)',
  '--mantine-color-default-hover': 'var(--r-hover)',
  '--mantine-color-default-color': 'var(--r-text)',
  '--mantine-color-default-border': 'var(--r-line-strong)',
  '--mantine-color-anchor': 'var(--r-accent-text)',
  '--mantine-color-error': 'var(--r-bad-text)',
  '--mantine-color-disabled': 'var(--r-sunken)',
  '--mantine-color-disabled-color': 'var(--r-text-3)',
  '--mantine-color-disabled-border': 'var(--r-line)',
  '--mantine-color-accent-filled': 'var(--r-accent)',
  '--mantine-color-accent-filled-hover': 'var(--r-accent-hover)',
  '--mantine-color-accent-light': 'var(--r-accent-soft)',
  '--mantine-color-accent-light-hover': 'var(--r-accent-soft)',
  '--mantine-color-accent-light-color': 'var(--r-accent-text)',
  '--mantine-color-accent-outline': 'var(--r-accent-text)',
  '--mantine-primary-color-contrast': 'var(--r-on-accent)',
  '--mantine-color-quiet-light': 'var(--r-hover)',
  '--mantine-color-quiet-light-hover': 'var(--r-hover)',
  '--mantine-color-quiet-light-color': 'var(--r-text-2)',
  '--mantine-color-bad-light': 'var(--r-bad-soft)',
  '--mantine-color-bad-light-hover': 'var(--r-bad-soft)',
  '--mantine-color-bad-light-color': 'var(--r-bad-text)',
};

/** resolver points Mantine's own variables at our tokens, in both schemes. */
export const resolver: CSSVariablesResolver = () => ({ variables: {}, light: shared, dark: shared });
