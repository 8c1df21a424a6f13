// Package counts watches how often something happens, and which part of tries
// ends in some way: errors, refusals, calls of a tool, retries.
//
// What for: most measures of an agent are small counts in short windows. A
// normal curve around their mean cries wolf at every third event; the exact tail
// of what the past makes likely does not.
//
// Who calls it: whoever has counts by window: live detectors of agents, tools and
// models.
//
// Promises: constant memory (under 200 bytes a series), no allocation a window,
// the same answers for the same windows. A Rate or Ratio belongs to one
// goroutine. Nothing is said before enough was seen, nor of effects smaller than
// the least that was asked for; after an alarm there is rest.
//
// How it fails: values that cannot be counts (negative, NaN, more successes than
// tries) are passed over and change nothing.
//
// Start reading at Options, then Rate.Look.
package counts
