package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/fault"
)

type apiOptions struct {
	fields, typed []string
	input         string
	include       bool
}

var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}

func newAPI(a *app) *cobra.Command {
	var o apiOptions
	cmd := &cobra.Command{
		Use: "api METHOD PATH", Short: "Send one request as it is and print the reply", Args: arguments(2, 2, "a method and a path"),
		Long: `Sends a request with your profile's credentials, or as the local owner where there is no
profile, and prints the body of the reply whole. --jq and --template filter it. Fields go
into the query of a GET, HEAD or DELETE, else into a JSON body.`,
		Example: `  bankctl api GET /api/v1/status --jq .data.version
  bankctl api GET /api/v1/bank-accounts -f employer_id=acme
  bankctl api PATCH /api/v1/bank-accounts/6a1f0d8f2b3c4d5e6f708192 -f name=Payroll -F primary:=true
  bankctl api POST /api/v1/plaid/link-token --input body.json -i`,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return methods, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runAPI(cmd.Context(), a, args[0], args[1], o) },
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.fields, "field", "f", nil, "KEY=VALUE, a string")
	f.StringArrayVarP(&o.typed, "json-field", "F", nil, "KEY:=JSON, for instance primary:=true")
	f.StringVar(&o.input, "input", "", "file with the body, - for stdin")
	f.BoolVarP(&o.include, "include", "i", false, "print status and headers too")
	return cmd
}

func runAPI(ctx context.Context, a *app, method, path string, o apiOptions) error {
	method = strings.ToUpper(method)
	if !slices.Contains(methods, method) {
		return usage("use "+strings.Join(methods, ", "), "%q is not a method", method)
	}
	path = "/" + strings.TrimPrefix(path, "/")
	path, body, err := o.request(a, method, path)
	if err != nil {
		return err
	}
	c, err := a.adminClient()
	if err != nil {
		return err
	}
	resp, err := c.Raw(ctx, method, path, nil, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if o.include {
		printHead(a.out(), resp)
	}
	reply, err := io.ReadAll(resp.Body)
	if err != nil {
		return fault.New(fault.Unavailable, "bankd stopped in the middle of its reply").Because(err)
	}
	if resp.StatusCode >= 400 {
		return faultOf(resp.StatusCode, reply)
	}
	return a.printReply(reply)
}

// request puts the fields into the query or the body.
func (o apiOptions) request(a *app, method, path string) (string, io.Reader, error) {
	fields, err := o.values()
	if err != nil {
		return "", nil, err
	}
	if o.input != "" {
		if len(fields) > 0 {
			return "", nil, usage("give one of them", "--input and fields exclude each other")
		}
		body, err := a.readInput(o.input)
		return path, body, err
	}
	switch {
	case len(fields) == 0:
		return path, nil, nil
	case method == "GET" || method == "HEAD" || method == "DELETE":
		query := url.Values{}
		for k, v := range fields {
			query.Set(k, fmt.Sprint(v))
		}
		joint := "?"
		if strings.Contains(path, "?") {
			joint = "&"
		}
		return path + joint + query.Encode(), nil, nil
	}
	b, err := encodeJSON(fields, "")
	return path, bytes.NewReader(b), err
}

func (o apiOptions) values() (map[string]any, error) {
	fields := map[string]any{}
	for _, f := range o.fields {
		k, v, ok := strings.Cut(f, "=")
		if !ok || k == "" {
			return nil, usage("for instance -f name=Payroll", "--field wants KEY=VALUE")
		}
		fields[k] = v
	}
	for _, f := range o.typed {
		k, v, ok := strings.Cut(f, ":=")
		if !ok || k == "" {
			return nil, usage("for instance -F primary:=true", "--json-field wants KEY:=JSON")
		}
		if !json.Valid([]byte(v)) {
			return nil, usage("a string needs quotes: -F name:='\"Payroll\"'", "--json-field %s: the value is not JSON", k)
		}
		fields[k] = json.RawMessage(v)
	}
	return fields, nil
}

func (a *app) readInput(name string) (io.Reader, error) {
	if name == "-" {
		b, err := io.ReadAll(a.Stdin)
		return bytes.NewReader(b), err
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, usage("", "cannot read %s: %v", name, reason(err))
	}
	return bytes.NewReader(b), nil
}

func printHead(w io.Writer, resp *http.Response) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", resp.Proto, resp.Status)
	for _, k := range sortedKeys(resp.Header) {
		fmt.Fprintf(&b, "%s: %s\n", k, strings.Join(resp.Header[k], ", "))
	}
	fmt.Fprintln(w, b.String())
}

// faultOf reads the error out of a refused reply.
func faultOf(status int, reply []byte) error {
	var e struct {
		Error *fault.Error `json:"error"`
	}
	if json.Unmarshal(reply, &e) != nil || e.Error == nil {
		for _, code := range fault.Codes() {
			if code.Status() == status {
				return fault.New(code, "bankd answered %d", status)
			}
		}
		return fault.New(fault.Internal, "bankd answered %d", status)
	}
	return e.Error
}

// printReply prints JSON in the format asked for, and anything else (metrics) as it came.
func (a *app) printReply(reply []byte) error {
	if !json.Valid(reply) {
		_, err := a.out().Write(reply)
		return err
	}
	data := json.RawMessage(reply)
	if a.output == "table" || a.output == "csv" || a.output == "tsv" || a.output == "name" {
		a.output = "json"
	}
	none := func(json.RawMessage) string { return "" }
	return show(a, data, nil, none, nil, nil)
}
