// What every page is made of. Import from here.
export * from './format';
export * from './Values';
export * from './Marks';
export * from './Layout';
export * from './KeyTable';
export * from './icons';
export * from './Dropdown';
export * from './period';
export { useFocusBack, useShortcuts, type Shortcut } from './keys';
export * from './KeyedTable';
export * from './Tabs';
export * from './Meter';
export * from './query';
export * from './durations';
export * from './diff';
export * from './Words';
export * from './wide';
