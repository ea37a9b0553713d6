package app

import (
	"fmt"
	"strings"
)

// banner is what an operator reads when the server is ready.
type banner struct {
	version, url, demo, data, engine string
	first                            bool // the installation is new
}

func (b banner) text() string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n  ScaiGrid %s is ready.\n\n", b.version)
	line := func(name, value string) { fmt.Fprintf(&out, "  %-9s %s\n", name, value) }
	if b.demo != "" {
		line("Try it", b.demo+"   a sample site with the bot on it")
	}
	line("Server", b.url)
	line("Docs", b.url+"/docs")
	if b.engine == "sqlite" {
		line("Data", b.data)
	} else {
		line("Data", b.engine+", secrets in "+b.data)
	}
	if b.first && b.demo == "" {
		out.WriteString("\n  This is a new installation. Next, in another terminal:\n" +
			"    scaigrid bot create --name Help\n" +
			"    scaigrid doc add help FILE…\n" +
			"    scaigrid token mint help --print-embed\n")
	}
	out.WriteString("\n  Ctrl+C stops it.\n\n")
	return out.String()
}
