// Command modelserver serves the scripted model of the examples in the wire
// formats of OpenAI and Anthropic.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"reeve/examples/modelserver"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8089", "address")
	seed := flag.Uint64("seed", 1, "of answers, latency and errors")
	flag.Parse()
	fmt.Printf("OPENAI_BASE_URL=http://%s/v1\nANTHROPIC_BASE_URL=http://%s\n", *listen, *listen)
	s := &http.Server{Addr: *listen, Handler: modelserver.New(modelserver.Everyday(*seed)), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second}
	if err := s.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
