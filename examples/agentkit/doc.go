// Package agentkit is what the example agents share: a loop over a model with
// tools, told to OpenTelemetry in one of four dialects.
//
// It is an example, not a library of Reeve: everything here uses the ordinary
// OpenTelemetry SDK, the providers' own wire formats and the Model Context
// Protocol, and no code of Reeve. Copy it, or read it to see how an agent of
// your own can be seen.
//
// Start reading at Agent.Run, then Dialect.
package agentkit
