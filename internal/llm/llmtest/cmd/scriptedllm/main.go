// Command scriptedllm runs the scripted model provider by itself, for browser
// tests and for trying things by hand.
package main

import (
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/scailabs/scaigrid/internal/llm/llmtest"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8009", "where to listen")
	flag.Parse()
	s := &http.Server{Addr: *addr, Handler: &llmtest.Provider{}, ReadHeaderTimeout: 5 * time.Second}
	log.Printf("scripted model provider at http://%s/v1", *addr)
	log.Fatal(s.ListenAndServe())
}
