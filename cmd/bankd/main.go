// Command bankd is the daemon: it links bank accounts, keeps them sealed and serves them over a Unix socket.
package main

import (
	"os"

	"github.com/bankctl/bankctl/internal/daemon"
)

func main() { os.Exit(daemon.Main(os.Args[1:], os.Stdout, os.Stderr, os.Getenv)) }
