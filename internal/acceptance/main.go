// Command acceptance holds a built bankd and bankctl against the two published API documents. It knows both programs
// only from outside, through the Unix socket, bankctl's output, the logs and the files on disk, and imports none of our
// packages: a mistake in one of them cannot hide in its own check.
//
// Without -hostile it checks R1 to R166 (docs/requirements.md) and prints one line for each. With -hostile N it sends N
// hostile requests as a client of narrow scope. With -lies it proves that every check can fail: bankd's replies are
// falsified in several ways before the checks see them, and each check must notice at least one.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("acceptance", flag.ContinueOnError)
	flags.SetOutput(errs)
	bankd := flags.String("bankd", "bin/bankd", "path of bankd")
	bankctl := flags.String("bankctl", "bin/bankctl", "path of bankctl")
	only := flags.String("only", "", "numbers of requirements between commas; all where left out")
	lies := flags.Bool("lies", false, "falsify replies, to prove that each check can fail")
	hostile := flags.Int("hostile", 0, "send so many hostile requests instead of the audit")
	seed := flags.Uint64("seed", 1, "what the hostile requests are made from")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	chosen, err := choose(*only)
	if err != nil {
		fmt.Fprintln(errs, err)
		return 2
	}
	w, err := start(*bankd, *bankctl)
	if err != nil {
		fmt.Fprintln(errs, "acceptance:", err)
		return 1
	}
	defer w.stop()
	switch {
	case *hostile > 0:
		return w.attack(*hostile, *seed, out)
	case *lies:
		return w.lieTo(chosen, out)
	default:
		return w.audit(chosen, out)
	}
}

// choose returns the checks with the given numbers.
func choose(only string) ([]check, error) {
	all := checks()
	if only == "" {
		return all, nil
	}
	var chosen []check
	for s := range strings.SplitSeq(only, ",") {
		n, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(s), "R"))
		if err != nil || n < 1 || n > len(all) {
			return nil, fmt.Errorf("acceptance: no requirement is called %q", s)
		}
		chosen = append(chosen, all[n-1])
	}
	return chosen, nil
}
