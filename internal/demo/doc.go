// Package demo is the fleet that `reeve demo` shows: thirty days of history of
// forty agents, four live agents, people to sign in as, and stories to replay.
//
// What for: somebody who has two minutes sees real runs of real agents, read
// while they are still running. Everything reaches the server as it would from
// anybody: over OTLP/HTTP with intake keys, and over the API. Faults are put
// only into tools, models, data and prompts.
//
// Who calls it: cli, beside a server that internal/app built; app gets Handler
// and Notices as plain values and knows nothing of a demo.
//
// Promises: history is a function of the seed and the day, and carries
// reeve.generated; New starts nothing; Run returns when its context ends; no
// more than a few per cent of a core once the history is in.
//
// How it fails: a server that refuses is an error of Run with its reason; a
// live agent that fails is logged and tried again.
//
// Start reading at Demo.Run, then history.go and stories.go.
package demo
