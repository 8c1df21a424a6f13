// Package provenance answers why: which of the parts behind a symptom is likely
// to have caused it, and which step of a failed run went wrong first.
//
// What for: an incident names what people feel; its cause is usually one of the
// things behind it: a tool, a model, a source, a job, another agent. And a run
// that failed did so at one of its steps. Both are ranked here by evidence that
// can be shown, without a model.
//
// Who calls it: incidents and the pages of runs; `reeve bench petshop|whowhen`.
//
// Promises: pure functions of their arguments; each rank comes with its reasons
// in words; the same evidence gives the same order. Where nothing stands out, the
// list is empty: no cause is invented.
//
// How it fails: what is not known (no figures of a part, no text of a step)
// counts neither for nor against, and is said in the reasons.
//
// Start reading at Rank for causes, Blame for steps.
package provenance
