// Command research runs the example agent of the same name; see package research.
package main

import (
	"reeve/examples/agentkit"
	"reeve/examples/research"
)

func main() { agentkit.Main(research.Spec()) }
