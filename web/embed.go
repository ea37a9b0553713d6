// Package web embeds the built files of the pages: the widget's loader, its
// panel and its locales. The sources lie beside this file; "make web" builds
// them into dist.
//
// It imports nothing of ours. It compiles before anything was built, so that
// the server can be worked on without Node; Built tells which it is.
package web

import (
	"embed"
	"io/fs"
)

// LoaderName is the widget's first file, the one that a page's script tag names.
const LoaderName = "widget.js"

// HowToBuild says what to do when the files are missing.
const HowToBuild = `the widget is not built into this binary; run "make build" and start bin/scaigrid`

// NotBuiltScript stands in for the widget's loader in a binary without it: a
// page goes on working and its console says why there is no chat.
const NotBuiltScript = `/* ScaiGrid: ` + HowToBuild + `. */
console.error('scaibot[not-built]: ` + HowToBuild + `.');
`

//go:embed all:dist
var dist embed.FS

// Dist is the folder of built files; before a build it holds none.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the pattern above guarantees the folder
	}
	return sub
}

// Built tells whether files holds the widget.
func Built(files fs.FS) bool {
	info, err := fs.Stat(files, LoaderName)
	return err == nil && info.Mode().IsRegular()
}
