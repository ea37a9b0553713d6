// Package web embeds the built files of the pages: the widget's loader, its
// panel and its languages. The sources lie beside this file; "make web" builds
// them into dist.
//
// It imports nothing of ours. It compiles before anything was built, so that
// the server can be worked on without Node; Built tells which it is.
package web

import (
	"embed"
	"io/fs"
)

// HowToBuild says what to do when the widget is missing.
const HowToBuild = `the widget is not built into this binary and pages will show no chat: run "make build" and start bin/scaigrid`

//go:embed all:dist unbuilt
var files embed.FS

// Built tells whether the widget is in this binary.
func Built() bool {
	info, err := fs.Stat(files, "dist/widget/widget.js")
	return err == nil && info.Mode().IsRegular()
}

// Widget holds the widget's files. In a binary without them it holds a loader
// that says so in the page's console.
func Widget() fs.FS {
	if Built() {
		return folder("dist/widget")
	}
	return folder("unbuilt")
}

// Reference is the page about the widget's attributes, options and variables,
// Markdown made from the widget's own tables; "" in a binary without it.
func Reference() string {
	text, err := fs.ReadFile(files, "dist/widget/reference.md")
	if err != nil {
		return ""
	}
	return string(text)
}

func folder(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic(err) // only for a name that is not a path
	}
	return sub
}
