// Package labelled measures the detectors and rankings against data whose truth
// is known: `reeve bench nab|loghub|whowhen|petshop|tau|origins|different|drift`.
//
// What for: a detector is worth what it finds among what was there. Each bench
// reads a public set of labelled data from a folder, or makes its own from a seed,
// runs the product's own code over it, and prints the figure beside its aim and
// beside what others reach.
//
// Who calls it: bench.Main.
//
// Promises: one configuration for a whole set, nothing looked up in the labels but
// what is fitted is fitted on other parts than those it is judged on, and said so;
// the same data give the same figures.
//
// How it fails: a folder that is not the set gives an error that names the file;
// nothing is skipped in silence.
//
// Start reading at Main, then nab.go.
package labelled
