// Command support runs the example agent of the same name; see package support.
package main

import (
	"reeve/examples/agentkit"
	"reeve/examples/support"
)

func main() { agentkit.Main(support.Spec()) }
