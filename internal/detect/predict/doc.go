// Package predict says how likely a run is to fail, from how it went.
//
// What for: most runs end without anybody saying whether they were right. Those
// that were judged (by people, by events, by a reward) show what failure looks
// like for an agent; the others are ranked by it, so that people look at the
// right ones first.
//
// Who calls it: review queues and agent pages; `reeve bench tau`.
//
// Promises: a model is a short list of weights with names, learnt from one
// agent's own judged runs; each prediction comes with what it is made of; the same
// runs give the same model. No text of a run is kept.
//
// How it fails: with too few judged runs of either outcome there is no model:
// Fit says so.
//
// Start reading at Look, then Fit.
package predict
