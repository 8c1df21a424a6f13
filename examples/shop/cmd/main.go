// Command shop serves the orders database and the knowledge base of the
// example agents as MCP servers on one address: /orders and /kb.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"reeve/examples/shop"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address")
	seed := flag.Uint64("seed", 1, "of the data")
	flag.Parse()
	fmt.Printf("orders at http://%s/orders, knowledge base at http://%s/kb\n", *listen, *listen)
	s := &http.Server{Addr: *listen, Handler: shop.New(*seed, shop.Everyday(), 1).Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second}
	if err := s.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
