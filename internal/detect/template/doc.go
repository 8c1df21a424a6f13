// Package template finds the fixed texts behind log lines, and says when a line
// is of a kind that never came before.
//
// What for: ten million log lines are a few hundred sentences with other numbers
// in them. Counting by sentence makes logs a measure; a sentence nobody ever saw
// is news.
//
// Who calls it: live detectors over log records; `reeve bench loghub`.
//
// Promises: streaming, in memory bounded by Options.Templates; the same templates
// for the same lines; a template's id never changes meaning. No text of a line
// is kept but the words that are the same in all lines of a template, and none
// with a digit in it. A Miner belongs to one goroutine.
//
// How it fails: any bytes are a line; very long ones are cut. When there is no
// room, the template that was not seen for longest is forgotten, and counted.
//
// Start reading at Miner.Add, then mask in mask.go.
package template
