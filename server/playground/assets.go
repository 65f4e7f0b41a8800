package playground

import (
	"compress/gzip"
	"embed"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
)

// assets is the page, each file compressed.
//
//go:embed assets/*.gz
var assets embed.FS

// types are the media types of the page's files, whatever this machine thinks of their
// endings.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".ttf": "font/ttf", ".txt": "text/plain; charset=utf-8",
}

// asset answers with a file of the page.
func asset(w http.ResponseWriter, r *http.Request, name string) {
	f, err := assets.Open("assets/" + name + ".gz")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", types[path.Ext(name)])
	w.Header().Set("Vary", "Accept-Encoding")
	if takesGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.Copy(w, f) // who has left does not read it
		return
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		http.Error(w, "The playground's page is damaged: "+err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = io.Copy(w, z)
}

func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		kind, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err == nil && kind == "gzip" && params["q"] != "0" {
			return true
		}
	}
	return false
}
