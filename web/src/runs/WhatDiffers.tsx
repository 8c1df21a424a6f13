import { ActionIcon, Button } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import { Icon } from '../shared/icons';
import type { Selection } from './Difference';

const Dialog = lazy(() => import('./DifferenceDialog').then((m) => ({ default: m.DifferenceDialog })));

/**
 * WhatDiffers asks what sets a selection of a chart or a table apart from the other
 * runs of the page's period, environment and team. Without a label it is a small
 * button at the end of a row, called by what it is about.
 */
export function WhatDiffers({ words, ask, label, about }: { words: string; ask: Selection; label?: string; about?: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      {label ? (
        <Button size="compact-xs" onClick={() => setOpen(true)}>
          {label}
        </Button>
      ) : (
        <ActionIcon
          size={20}
          aria-label={`What is different about ${about}`}
          title="What is different about these runs"
          onClick={(e) => {
            e.stopPropagation();
            setOpen(true);
          }}
        >
          <Icon name="findings" size={13} />
        </ActionIcon>
      )}
      {open && (
        <Suspense fallback={null}>
          <Dialog words={words} ask={ask} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
