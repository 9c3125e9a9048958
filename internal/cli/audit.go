package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/trail"
)

func newAudit(a *app) *cobra.Command {
	return group("audit", "Read the hash-chained log of every operation", newAuditList(a), newAuditVerify(a))
}

func newAuditVerify(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Check the whole chain for records changed, missing or out of place", Args: none(),
		Example: "  bankctl audit verify\n  bankctl audit verify --tenant acme",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runAuditVerify(cmd.Context(), a) },
	}
}

func runAuditVerify(ctx context.Context, a *app) error {
	c, err := a.adminClient()
	if err != nil {
		return err
	}
	r, err := c.VerifyAudit(ctx)
	if err != nil {
		return err
	}
	columns := []column[trail.Report]{
		{name: "intact", value: func(r trail.Report) string { return yesNo(r.Intact) }},
		{name: "records", value: func(r trail.Report) string { return strconv.Itoa(r.Records) }},
		{name: "first bad", value: func(r trail.Report) string { return strconv.FormatUint(r.FirstBad, 10) }},
		{name: "head", value: func(r trail.Report) string { return r.Head.Hash }},
	}
	err = single(a, r, columns[0].value, columns, func() error {
		return a.card([]fact{{"intact", yesNo(r.Intact)}, {"records", strconv.Itoa(r.Records)}, {"head", r.Head.Hash}})
	})
	if err == nil && !r.Intact {
		err = exitError{fault.ExitInternal, "the audit chain is broken from record " + strconv.FormatUint(r.FirstBad, 10), "keep a copy of the data directory before anything else"}
	}
	return err
}

func auditColumns(a *app) []column[trail.Record] {
	type r = trail.Record
	return []column[r]{
		{name: "seq", value: func(x r) string { return strconv.FormatUint(x.Seq, 10) }},
		{name: "time", value: func(x r) string { return utc(x.Time) }, short: func(x r) string { return a.ago(x.Time) }},
		{name: "action", value: func(x r) string { return x.Action }},
		{name: "object", value: func(x r) string { return x.Object }},
		{name: "outcome", value: func(x r) string { return x.Outcome }},
		{name: "by", value: actor},
		{name: "details", value: details},
	}
}

// actor gives the client's name, else the uid on the socket, else bankd.
func actor(r trail.Record) string {
	who := r.ClientName
	switch {
	case who != "":
	case r.UID != nil && *r.UID >= 0:
		who = "uid " + strconv.Itoa(*r.UID)
	default:
		who = "bankd"
	}
	if r.OnBehalf != "" {
		who += " for " + r.OnBehalf
	}
	return who
}

func details(r trail.Record) string {
	var parts []string
	for _, k := range sortedKeys(r.Details) {
		parts = append(parts, k+"="+r.Details[k])
	}
	return strings.Join(parts, " ")
}
