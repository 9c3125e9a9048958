package plaidsim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// WebhookRetry schedules the attempts of a webhook that is not answered with 200: the second after First, each later
// one after Factor times the last pause but at most Cap, until For has passed since the webhook was made.
type WebhookRetry struct {
	First  time.Duration
	Factor int
	Cap    time.Duration
	For    time.Duration
}

// PlaidWebhookRetry is Plaid's own schedule. The simulator's default is quicker, so that tests do not wait, and ends
// sooner, so that it gives up on a receiver that is gone.
func PlaidWebhookRetry() WebhookRetry {
	return WebhookRetry{First: 30 * time.Second, Factor: 4, Cap: 24 * time.Hour, For: 24 * time.Hour}
}

func (r WebhookRetry) orDefault() WebhookRetry {
	if r == (WebhookRetry{}) {
		return WebhookRetry{First: 250 * time.Millisecond, Factor: 2, Cap: 30 * time.Second, For: 10 * time.Minute}
	}
	return r
}

// pause is the wait after that many attempts.
func (r WebhookRetry) pause(tries int) time.Duration {
	d := r.First
	for range tries - 1 {
		if d >= r.Cap {
			break
		}
		d *= time.Duration(max(r.Factor, 1))
	}
	return min(d, r.Cap)
}

// hook is a webhook not yet delivered. Its times are real, not of the simulated clock: a receiver comes back in real
// time.
type hook struct {
	ID         uint64
	URL, Body  string
	Made, Next time.Time
	Tries      int `json:",omitempty"`
}

const (
	hookTimeout  = 10 * time.Second
	hookQueueMax = 2000
	hookWorkers  = 8
)

// enqueue drops the webhook if the queue is full. Callers hold s.mu.
func (s *Server) enqueue(target, body string) {
	if len(s.st.Hooks) >= hookQueueMax {
		s.log.Warn("webhook dropped: too many are waiting", "waiting", len(s.st.Hooks))
		return
	}
	now := time.Now()
	s.st.HookSeq++
	k := &hook{ID: s.st.HookSeq, URL: target, Body: body, Made: now, Next: now}
	if s.opt.WebhookShuffle > 0 {
		k.Next = now.Add(rand.N(s.opt.WebhookShuffle))
	}
	s.st.Hooks = append(s.st.Hooks, k)
	s.markChanged()
	s.hooks.poke()
}

// hookSender delivers the webhooks of the state, several at a time, in no
// promised order.
type hookSender struct {
	s        *Server
	client   *http.Client
	wake     chan struct{}
	free     chan struct{}   // one token per worker that may start
	inFlight map[uint64]bool // guarded by Server.mu
	ctx      context.Context
	cancel   context.CancelFunc
	work     sync.WaitGroup
}

func newHookSender(s *Server) *hookSender {
	ctx, cancel := context.WithCancel(context.Background())
	return &hookSender{s: s, ctx: ctx, cancel: cancel, wake: make(chan struct{}, 1), free: make(chan struct{}, hookWorkers), inFlight: map[uint64]bool{},
		client: &http.Client{Timeout: hookTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (h *hookSender) start() {
	h.work.Go(h.run)
	h.poke()
}

func (h *hookSender) poke() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// stop cancels the attempts in flight; their webhooks stay in the state.
func (h *hookSender) stop() {
	h.cancel()
	h.work.Wait()
	h.client.CloseIdleConnections()
}

func (h *hookSender) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		k, wait := h.next(time.Now())
		if k != nil {
			select {
			case h.free <- struct{}{}:
			case <-h.ctx.Done():
				return
			}
			h.work.Go(func() { h.deliver(*k) })
			continue
		}
		timer.Reset(wait)
		select {
		case <-h.ctx.Done():
			return
		case <-h.wake:
		case <-timer.C:
		}
	}
}

// next takes a due webhook, or returns the time until one is due.
func (h *hookSender) next(now time.Time) (*hook, time.Duration) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	wait := time.Hour
	for _, k := range h.s.st.Hooks {
		if h.inFlight[k.ID] {
			continue
		}
		if !k.Next.After(now) {
			h.inFlight[k.ID] = true
			copied := *k
			return &copied, 0
		}
		wait = min(wait, k.Next.Sub(now))
	}
	return nil, wait
}

// deliver makes one attempt. It first saves the state, so that nobody hears of a change that a crash undoes.
func (h *hookSender) deliver(k hook) {
	defer func() { <-h.free }()
	err := h.s.flush(h.ctx)
	if err == nil {
		err = h.post(k)
	}
	if err != nil && h.ctx.Err() == nil {
		h.s.log.Warn("webhook not accepted", "attempt", k.Tries+1)
	}
	h.recordAttempt(k, err, time.Now())
	h.poke()
}

// recordAttempt stores the outcome of an attempt. It does not count one that the server's end cut off.
func (h *hookSender) recordAttempt(k hook, err error, now time.Time) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	delete(h.inFlight, k.ID)
	if err != nil && h.ctx.Err() != nil {
		return
	}
	i := slices.IndexFunc(h.s.st.Hooks, func(w *hook) bool { return w.ID == k.ID })
	if i < 0 {
		return
	}
	h.s.markChanged()
	retry := h.s.opt.WebhookRetry
	waiting := h.s.st.Hooks[i]
	waiting.Tries++
	waiting.Next = now.Add(retry.pause(waiting.Tries))
	late := waiting.Next.Sub(waiting.Made) > retry.For
	if err != nil && late {
		h.s.log.Warn("webhook given up", "attempts", waiting.Tries)
	}
	if err == nil || late {
		h.s.st.Hooks = slices.Delete(h.s.st.Hooks, i, i+1)
	}
}

func (h *hookSender) post(k hook) error {
	token, err := h.s.SignWebhook([]byte(k.Body))
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(h.ctx, http.MethodPost, k.URL, strings.NewReader(k.Body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Plaid-Verification", token)
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("webhook answered with status %d", resp.StatusCode)
	}
	return nil
}
