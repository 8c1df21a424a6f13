import type { SVGProps } from 'react';

// Our own line icons, 16 x 16, one stroke. Always beside a word or a label.

const paths = {
  overview: 'M2 9.5 5.5 6l3 3L14 3.5M10.5 3.5H14V7M2 13.5h12',
  inbox: 'M2 9l2-6h8l2 6v4H2zM2 9h3.5l1 1.5h3l1-1.5H14',
  agents: 'M8 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM3 13.5c.5-2.5 2.5-4 5-4s4.5 1.5 5 4',
  map: 'M4 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM12 9.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM5 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM5.5 4.5l5 3M10.5 8.8 6.5 11.2M4.2 5.5l.6 5',
  tools: 'M10 2.5a3.5 3.5 0 0 0-3 5L2.5 12 4 13.5 8.5 9a3.5 3.5 0 0 0 4.7-4.3L11 6.8 9.2 5l2.2-2.2c-.4-.2-.9-.3-1.4-.3z',
  sources: 'M3 4c0-1 2.2-1.7 5-1.7S13 3 13 4s-2.2 1.7-5 1.7S3 5 3 4zm0 0v8c0 1 2.2 1.7 5 1.7s5-.7 5-1.7V4M3 8c0 1 2.2 1.7 5 1.7S13 9 13 8',
  runs: 'M2.5 4h6M4.5 8h7M7.5 12h6',
  decisions: 'M8 2 3 4v4c0 3 2 5 5 6 3-1 5-3 5-6V4zM6 8l1.5 1.5L10.2 6.5',
  changes: 'M4 2.5v11M12 2.5v4c0 2-1.5 2.5-4 3s-4 1-4 3',
  incidents: 'M8 2.5 14 13H2zM8 6.5V9.5M8 11.3v.2',
  findings: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5 14 14',
  oncall: 'M4 2.5h2l1 3-1.5 1c.5 1.5 1.5 2.5 3 3l1-1.5 3 1v2c0 1-1 1.5-2 1.5-4.5-.5-7.5-3.5-8-8 0-1 .5-2 1.5-2z',
  outcomes: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM5.5 8l2 2 3.2-3.8',
  objectives: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z',
  quality: 'M8 2l1.8 3.7 4.1.6-3 2.9.7 4L8 11.3l-3.6 1.9.7-4-3-2.9 4.1-.6z',
  cost: 'M8 2v12M11 4.5C10.5 3.7 9.5 3.3 8 3.3c-1.8 0-3 .8-3 2.2 0 3.2 6.2 1.6 6.2 4.8 0 1.5-1.3 2.4-3.2 2.4-1.7 0-2.9-.6-3.3-1.7',
  policies: 'M4 2.5h6l2.5 2.5v8.5H4zM6 7.5h4M6 10.5h4',
  standards: 'M3 3h10v10H3zM5.5 8l2 2 3-4',
  audit: 'M5 6.5V5a3 3 0 0 1 6 0v1.5M3.5 6.5h9v7h-9zM8 9.5v1.5',
  settings: 'M8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM8 2v1.8M8 12.2V14M14 8h-1.8M3.8 8H2M12.2 3.8l-1.3 1.3M5.1 10.9l-1.3 1.3M12.2 12.2l-1.3-1.3M5.1 5.1 3.8 3.8',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5 14 14',
  down: 'M4.5 6.5 8 10l3.5-3.5',
  right: 'M6.5 4.5 10 8l-3.5 3.5',
  left: 'M9.5 4.5 6 8l3.5 3.5',
  up: 'M4.5 9.5 8 6l3.5 3.5',
  close: 'M4 4l8 8M12 4l-8 8',
  copy: 'M5.5 5.5h7v8h-7zM3.5 10.5v-8h7',
  check: 'M3.5 8.5l3 3 6-7',
  link: 'M7 9.5a2.5 2.5 0 0 0 3.5 0l2-2A2.5 2.5 0 0 0 9 4l-.7.7M9 6.5a2.5 2.5 0 0 0-3.5 0l-2 2A2.5 2.5 0 0 0 7 12l.7-.7',
  external: 'M9 3h4v4M13 3 7.5 8.5M11 9v4H3V5h4',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  trash: 'M3 4.5h10M6 4.5v-2h4v2M4.5 4.5l.5 9h6l.5-9M7 7v4M9 7v4',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.5V8l2.5 1.5',
  live: 'M8 9.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM4.5 4.5a5 5 0 0 0 0 7M11.5 4.5a5 5 0 0 1 0 7',
  help: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.3 6.3c0-1 .8-1.6 1.7-1.6s1.7.6 1.7 1.5c0 1.3-1.7 1.3-1.7 2.6M8 11v.2',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  filter: 'M2.5 3.5h11L9.5 8.5v4l-3 1v-5z',
  columns: 'M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10',
  sun: 'M8 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM8 1.5V3M8 13v1.5M14.5 8H13M3 8H1.5M12.6 3.4l-1 1M4.4 11.6l-1 1M12.6 12.6l-1-1M4.4 4.4l-1-1',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z',
  person: 'M8 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM3 13.5c.5-2.5 2.5-4 5-4s4.5 1.5 5 4',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.5v9l7-4.5z',
  bell: 'M4 11.5V7a4 4 0 0 1 8 0v4.5l1 1H3zM6.8 13.8h2.4',
  sort: 'M5 3v10M2.8 5.2 5 3l2.2 2.2M11 13V3M8.8 10.8 11 13l2.2-2.2',
} as const;

export type IconName = keyof typeof paths;

/** Icon draws one of our icons. It is hidden from assistive technology: name the control. */
export function Icon({ name, size = 16, ...rest }: { name: IconName; size?: number } & SVGProps<SVGSVGElement>) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" {...rest}>
      <path d={paths[name]} />
    </svg>
  );
}
