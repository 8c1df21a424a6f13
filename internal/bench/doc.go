// Package bench measures Reeve, or any server that takes OTLP: how fast, at what
// cost, and whether anything is lost when it is killed.
//
// What for: `reeve bench ingest` sends a load of agent spans and reports what
// the server spent on it, by stage, with read latencies; `reeve bench crash`
// kills a server at random moments under load and compares what it kept with
// what it acknowledged; `reeve bench gateway` compares the door with a bare
// proxy, `reeve bench stop` sees how fast a stop is. The OTLP writer here also
// serves the demo's history.
//
// Who calls it: cli (Main), the whole-product tests (Crash), demo (the
// writer).
//
// Promises: the load is a function of its seed; texts and ids never repeat
// across runs beyond what the load says, so no store is flattered by
// repetition; the generator's own CPU is reported beside the server's; the
// same load can be sent to any OTLP endpoint, Reeve or not.
//
// How it fails: Main returns 1 and says what; refused bodies are counted and
// reported, never dropped silently; a figure that cannot be measured is null.
//
// Start reading at Load, then Ingest, Crash, Gateway and Stops.
package bench
