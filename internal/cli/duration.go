package cli

import (
	"errors"
	"time"

	"github.com/spf13/pflag"

	"github.com/bankctl/bankctl/internal/query"
)

// durationValue is a flag that takes 90s, 12h, 30d and 2w.
type durationValue time.Duration

func durationFlag(flags *pflag.FlagSet, into *time.Duration, name string, usual time.Duration, doc string) {
	*into = usual
	flags.Var((*durationValue)(into), name, doc)
}

func (d *durationValue) String() string {
	if *d == 0 {
		return "0" // as a default it is not shown
	}
	return time.Duration(*d).String()
}

func (d *durationValue) Set(text string) error {
	got, err := query.ParseDuration(text)
	if err != nil || got < 0 {
		return errors.New("must be a duration such as 90s, 12h, 30d or 2w")
	}
	*d = durationValue(got)
	return nil
}

// Type names the kind of value in the help.
func (d *durationValue) Type() string { return "duration" }
