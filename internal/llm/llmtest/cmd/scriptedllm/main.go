// Command scriptedllm runs the scripted model provider by itself, for browser
// tests and for trying things by hand.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/scailabs/scaigrid/internal/llm/llmtest"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8730", "where to listen; loopback only")
	flag.Parse()
	if err := run(*addr); err != nil {
		fmt.Fprintln(os.Stderr, "scriptedllm:", err)
		os.Exit(1) // allow: this is a program
	}
}

func run(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	if tcp, ok := l.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		_ = l.Close()
		return errors.New("it answers anybody, so it listens on loopback only")
	}
	s := &http.Server{Handler: &llmtest.Provider{}, ReadHeaderTimeout: 5 * time.Second}
	fmt.Fprintf(os.Stderr, "scripted model provider at http://%s/v1\n", l.Addr())
	return s.Serve(l)
}
