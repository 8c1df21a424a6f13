import type { SIEMTarget } from '../api/types';
import { count, Empty, KeyedTable, Mark, Panel, plural, ProblemNote, Snippet, Time } from '../shared';

const sum = (m: Record<string, number> | null | undefined) => Object.values(m ?? {}).reduce((n, v) => n + v, 0);

/** Streams: who else has the records, and whether each still takes them. */
export function Streams({ targets, known, error }: { targets: SIEMTarget[]; known: boolean; error: unknown }) {
  return (
    <Panel title="SIEM targets" note={known ? plural(targets.length, 'target') : undefined}>
      <ProblemNote error={error} />
      <KeyedTable
        label="SIEM targets"
        rows={targets}
        rowKey={(t) => t.name}
        mark={(t) => (t.failing_since ? 'bad' : undefined)}
        empty={
          known && (
            <div style={{ padding: '0 0 14px' }}>
              <Empty title="No SIEM gets a copy.">Decisions and changes can stream to syslog over TLS, Splunk, an HTTPS address or a file. Each target has a cursor that survives restarts, so nothing is left out. Targets are named in the configuration file:</Empty>
              <div style={{ padding: '0 24px', maxWidth: 720 }}>
                <Snippet label="a configuration" text={'siem:\n  - {name: syslog, kind: syslog, address: "siem.example.com:6514", ca: /etc/reeve/siem-ca.pem}\n  - {name: splunk, kind: splunk, url: "https://splunk.example.com:8088", token_file: /run/secrets/hec}'} />
              </div>
            </div>
          )
        }
        fields={[
          { head: 'Target', cell: (t) => t.name },
          { head: 'State', cell: (t) => (t.failing_since ? <Mark level="bad" letter="F" label="failing" words /> : t.last_sent_at ? <Mark level="good" letter="O" label="takes them" words /> : <Mark level="unknown" letter="?" label="nothing sent yet" words />) },
          { head: 'Kind', cell: (t) => t.kind },
          { head: 'Where', width: '260px', title: (t) => t.where, cell: (t) => t.where },
          { head: 'Sent', num: true, cell: (t) => count(t.sent) },
          { head: 'Behind', num: true, cell: (t) => (sum(t.behind) === 0 ? <span className="muted">nothing</span> : <span title={Object.entries(t.behind ?? {}).map(([k, v]) => `${k}: ${v}`).join('\n')}>{count(sum(t.behind))}</span>) },
          { head: 'Last', cell: (t) => (t.last_sent_at ? <Time at={t.last_sent_at} /> : <span className="muted">never</span>) },
          { head: 'Trouble', cell: (t) => (t.failing_since ? <>{t.error} <span className="muted">since <Time at={t.failing_since} as="day" /></span></> : '') },
        ]}
      />
    </Panel>
  );
}
