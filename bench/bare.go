package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
)

// bare runs in a process of its own: it serves a folder's files over a Unix socket, from memory, with nothing but
// net/http.
func bare(dir string) error {
	mux := http.NewServeMux()
	for _, name := range []string{"page", "small", "tiny"} {
		body, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		length := strconv.Itoa(len(body))
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", length)
			_, _ = w.Write(body)
		})
	}
	l, err := net.Listen("unix", bareSocket(dir))
	if err != nil {
		return err
	}
	fmt.Println("bare: ready")
	return http.Serve(l, mux)
}

func bareSocket(dir string) string { return filepath.Join(dir, "bare.sock") }
