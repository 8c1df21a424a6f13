// Command nightly runs the example agent of the same name; see package nightly.
package main

import (
	"reeve/examples/agentkit"
	"reeve/examples/nightly"
)

func main() { agentkit.Main(nightly.Spec()) }
