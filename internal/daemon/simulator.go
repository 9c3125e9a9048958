package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/store"
)

// simulator is a plaidsim with its listener.
type simulator struct {
	sim  *plaidsim.Server
	http *http.Server
	url  string
	done chan struct{}
}

// startSimulator runs the embedded simulator. A sealed collection keeps its Items over a restart, and also its address,
// so that pages open in a browser go on working; it listens elsewhere if that is taken.
func startSimulator(ctx context.Context, addr string, db *store.DB, o Options) (*simulator, error) {
	state := simulatorState{db}
	l, err := listenAgain(ctx, addr, state)
	if err != nil {
		return nil, fmt.Errorf("start simulator: %w", err)
	}
	err = state.keepAddress(ctx, l.Addr().String())
	if refused, ok := errors.AsType[*store.DiskError](err); ok { // reads are served all the same
		o.Log.Warn("the simulator's address is not kept", "error", refused.Error())
	} else if err != nil {
		return nil, errors.Join(fmt.Errorf("start simulator: %w", err), l.Close())
	}
	saves := &startingState{simulatorState: state, log: o.Log}
	defer saves.started.Store(true)
	return serveSimulator(ctx, l, plaidsim.Options{Seed: time.Now().UnixNano(), Store: saves, Clock: o.Now, Logger: o.Log, Ready: o.Ready, Switches: o.As}, o.Around)
}

func listenAgain(ctx context.Context, addr string, state simulatorState) (net.Listener, error) {
	if host, port, err := net.SplitHostPort(addr); err == nil && port == "0" {
		last, err := state.lastAddress(ctx)
		if err != nil {
			return nil, err
		}
		if lastHost, _, err := net.SplitHostPort(last); err == nil && lastHost == host {
			if l, err := net.Listen("tcp", last); err == nil {
				return l, nil
			}
		}
	}
	return net.Listen("tcp", addr)
}

func serveSimulator(ctx context.Context, l net.Listener, so plaidsim.Options, around func(http.Handler) http.Handler) (*simulator, error) {
	so.BaseURL = "http://" + l.Addr().String()
	sim, err := plaidsim.New(ctx, so)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start simulator: %w", err), l.Close())
	}
	var h http.Handler = sim
	if around != nil {
		h = around(h)
	}
	s := &simulator{sim: sim, url: so.BaseURL, done: make(chan struct{}), http: &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(l)
	}()
	return s, nil
}

func (s *simulator) stop() error {
	err := s.http.Close()
	<-s.done
	return errors.Join(err, s.sim.Close())
}

type simFlags struct {
	listen, state, ready, limits, fault, as string
	seed                                    int64
	webhookAny, likePlaid                   bool
	duplicate                               int
	shuffle                                 time.Duration
}

// newPlaidSim is `bankd plaid-sim`: the simulator alone, for tests of other programs.
func newPlaidSim(stdout, stderr io.Writer) *cobra.Command {
	var f simFlags
	cmd := &cobra.Command{
		Use:   "plaid-sim",
		Short: "Run the Plaid simulator alone",
		Long: `plaid-sim serves Plaid's API and a Hosted Link page for development and tests, in memory
unless --state names a file. It takes any non-empty client id and secret; tokens belong
to the client that made them.

What happens to an Item from outside is brought about by POST /simulator/events: a login that
the bank no longer takes, a consent taken back, an account under another number, a row of
another date. A body it does not know is answered with the kinds it does.

Where Plaid's documents and what callers have seen differ, the simulator follows the documents; --as
chooses, one by one or with the name all:

` + behaviourTable(),
		Example: `  bankd plaid-sim --listen 127.0.0.1:8085
  curl -d '{"kind":"login_required","item_id":"…"}' http://127.0.0.1:8085/simulator/events
  bankd plaid-sim --fault '/auth/get:500:2,*:slow:10s' --ready initial=0s,history=0s
  bankd plaid-sim --as re-exchange=observed,phone=observed`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runPlaidSim(f, stdout, stderr) },
	}
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:0", "`ADDR` to listen on")
	cmd.Flags().Int64Var(&f.seed, "seed", 1, "`N` that ids and data are made from")
	cmd.Flags().StringVar(&f.state, "state", "", "`FILE` that keeps its Items; in memory where left out")
	cmd.Flags().StringVar(&f.ready, "ready", "initial=1s,history=2s", "when transactions become available")
	cmd.Flags().StringVar(&f.limits, "limits", "sandbox", "rate limits: sandbox, production or off")
	cmd.Flags().StringVar(&f.fault, "fault", "", "failures to inject: `ROUTE:KIND[:count|duration],…`; kinds 500, 429, html502, slow, hang, reset, lost, mutation")
	cmd.Flags().StringVar(&f.as, "as", "", "behaviours to choose where Plaid's documents and what was seen differ: `NAME=documented|observed,…`")
	cmd.Flags().BoolVar(&f.webhookAny, "webhook-any", false, "send webhooks to other hosts than loopback too")
	cmd.Flags().BoolVar(&f.likePlaid, "webhook-retry-like-plaid", false, "send a webhook again after 30 s, then ever later for a day; quickly and for ten minutes where left out")
	cmd.Flags().IntVar(&f.duplicate, "webhook-duplicate", 0, "send each webhook `N` more times")
	cmd.Flags().DurationVar(&f.shuffle, "webhook-shuffle", 0, "hold each webhook back for up to `TIME`, so that they overtake each other")
	return cmd
}

// behaviourTable lists for --help what --as chooses from.
func behaviourTable() string {
	var b strings.Builder
	for _, row := range plaidsim.Behaviours() {
		fmt.Fprintf(&b, "  %-14s documented: %s\n  %14s observed:   %s\n", row.Name, row.Documented, "", row.Observed)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func runPlaidSim(f simFlags, stdout, stderr io.Writer) error {
	if f.duplicate < 0 || f.shuffle < 0 {
		return usageError{errors.New("--webhook-duplicate and --webhook-shuffle: want 0 or more")}
	}
	o := plaidsim.Options{Seed: f.seed, WebhookAny: f.webhookAny, WebhookDuplicate: f.duplicate, WebhookShuffle: f.shuffle, Logger: slog.New(slog.NewTextHandler(stderr, nil))}
	if f.likePlaid {
		o.WebhookRetry = plaidsim.PlaidWebhookRetry()
	}
	var err error
	if o.Ready, err = plaidsim.ParseReady(f.ready); err != nil {
		return usageError{fmt.Errorf("--ready: %w", err)}
	}
	if o.Limits, err = plaidsim.ParseLimits(f.limits); err != nil {
		return usageError{fmt.Errorf("--limits: %w", err)}
	}
	if o.Faults, err = plaidsim.ParseFaults(f.fault); err != nil {
		return usageError{fmt.Errorf("--fault: %w", err)}
	}
	if o.Switches, err = plaidsim.ParseAs(f.as); err != nil {
		return usageError{fmt.Errorf("--as: %w", err)}
	}
	if f.state != "" {
		o.Store = plaidsim.FileStore{Path: f.state}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("start simulator: %w", err)
	}
	s, err := serveSimulator(ctx, l, o, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "plaid-sim: ready url=%s\n", s.url)
	<-ctx.Done()
	return s.stop()
}
