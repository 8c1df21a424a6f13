// Package drift says when what an agent gets, does or answers is no longer what
// it was: other inputs, another model behind the same name, another quality.
//
// What for: nothing breaks when inputs or models change; answers just become
// other ones. The runs of now are compared with runs of a time that was
// approved, feature by feature.
//
// Who calls it: live detectors, a Monitor an agent (or agent and task), an ADWIN
// a number that has to be watched at every single value; `reeve bench drift`.
//
// Promises: thresholds come from the data's own permutations, so that they fit
// the number of runs and the shape of each feature; many features are one
// question (Benjamini and Hochberg); one alarm a feature until somebody says
// what is the new normal. Memory is bounded by Options. The same runs give the
// same answers: permutations have a fixed seed. Not safe for concurrent use.
//
// How it fails: missing values are left out; a feature with too few of them says
// nothing. Before the reference is full nothing is said.
//
// Start reading at Monitor.Look; distance.go has the distances and their
// permutations, adwin.go the one for single numbers.
package drift
