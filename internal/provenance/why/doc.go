// Package why draws the graph behind the outcome of a run (data, models, reasoning
// steps, entitlements, rules, with their versions) and says which of it is likely
// to be the cause, what is in order, and what nobody knows.
//
// What for: "why did it end so?" has an answer only where each part of it rests on
// a record. What no record tells is said to be unknown, with what would tell, and
// nothing else is named as the cause in its place.
//
// Who calls it: api for runs and incidents.
//
// Promises: Explain is a pure function of its Case: the same records give the same
// answer. A part is likely to be the cause only when a record speaks against it and
// nothing behind it is unknown or out of order. A run that nobody complains of has
// no cause. The graph is bounded: what is in order is summed up.
//
// How it fails: it cannot; a Case without records gives an answer that is all
// unknown.
//
// Start reading at Case and Explain, then answer.go for how causes are chosen.
package why
