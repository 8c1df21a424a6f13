import { useMe } from '../api/queries';
import { Snippet } from '../shared';
import css from './sources.module.css';

/** Ways are the three ways in which Reeve is told what sources hold. */
export function Ways() {
  const dev = useMe()?.dev;
  const auth = dev ? '' : " \\\n  -H 'Authorization: Bearer YOUR_INTAKE_KEY'";
  return (
    <ol className={css.ways}>
      <li>
        Point an emitter of OpenLineage (Airflow, Spark, dbt) here: each job that completes gives what it writes a new version.
        <Snippet label="OpenLineage" text={`export OPENLINEAGE_URL=${location.origin}${dev ? '' : '\nexport OPENLINEAGE_API_KEY=YOUR_INTAKE_KEY'}`} />
      </li>
      <li>
        Send what a check has written: sources.json and run_results.json of dbt, a result of Great Expectations or Soda.
        <Snippet label="artefacts" text={`curl -sS '${location.origin}/api/v1/lineage/artefacts?namespace=warehouse'${auth} \\\n  --data-binary @target/sources.json`} />
      </li>
      <li>
        Tell which documents were crawled into a corpus or an index.
        <Snippet label="documents" text={`curl -sS ${location.origin}/api/v1/sources/handbook/documents${auth} \\\n  -H 'Content-Type: application/json' \\\n  -d '{"documents":[{"id":"refunds.md","version":"7","crawled_at":"${new Date().toISOString().slice(0, 19)}Z"}]}'`} />
      </li>
    </ol>
  );
}
