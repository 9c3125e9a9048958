// Command bankctl is the command line of bankd: it links bank accounts and looks after them.
package main

import (
	"os"

	_ "github.com/bankctl/bankctl/internal/aaterm" // before anything that asks the terminal questions
	"github.com/bankctl/bankctl/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], cli.System())) }
