// Command analyst runs the example agent of the same name; see package analyst.
package main

import (
	"reeve/examples/agentkit"
	"reeve/examples/analyst"
)

func main() { agentkit.Main(analyst.Spec()) }
