package background_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bankctl/bankctl/internal/background"
)

// turns runs a scheduler over tasks until the test is over.
func turns(t *testing.T, most int, list func() []background.Task) *background.Scheduler {
	t.Helper()
	s := background.NewScheduler(most, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx, time.Second, func(context.Context) ([]background.Task, error) { return list(), nil })
	}()
	t.Cleanup(func() { cancel(); <-done })
	return s
}

func every(d time.Duration) func(int) time.Duration {
	return func(int) time.Duration { return d }
}

func TestSchedulerRestsAndPokes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var taken, rested atomic.Int64
		s := turns(t, 4, func() []background.Task {
			return []background.Task{
				{ID: "a", Rest: every(time.Hour), Do: func(context.Context) error { taken.Add(1); return nil }},
				{ID: "b", Rest: every(time.Hour), Rested: true, Do: func(context.Context) error { rested.Add(1); return nil }},
			}
		})
		want := func(a, b int64) {
			t.Helper()
			synctest.Wait()
			if taken.Load() != a || rested.Load() != b {
				t.Fatalf("turns taken: %d and %d, want %d and %d", taken.Load(), rested.Load(), a, b)
			}
		}
		time.Sleep(2 * time.Second)
		want(1, 0)
		time.Sleep(59 * time.Minute)
		want(1, 0)
		time.Sleep(17 * time.Minute) // the rest and its quarter are over
		want(2, 1)
		s.Poke("a")
		want(3, 1) // at once, not at the next look
		s.Poke("nobody")
		want(3, 1)
	})
}

// A thing that fails rests longer each time; a success ends that.
func TestSchedulerCountsFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen []int
		n := 0
		turns(t, 1, func() []background.Task {
			return []background.Task{{
				ID: "a",
				Rest: func(failed int) time.Duration {
					seen = append(seen, failed)
					return time.Duration(failed) * time.Minute
				},
				Do: func(context.Context) error {
					if n++; n < 4 {
						return errors.New("no")
					}
					return nil
				},
			}}
		})
		time.Sleep(time.Hour)
		synctest.Wait()
		most := 0
		for _, f := range seen {
			most = max(most, f)
		}
		if most != 3 || seen[len(seen)-1] != 0 {
			t.Errorf("failures in a row reached %d and ended at %d, want 3 and 0", most, seen[len(seen)-1])
		}
	})
}

// A session that nobody waits for is asked after ever more rarely.
func TestFollowersSlowDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var life background.Life
		ctx, stop := context.WithCancel(t.Context())
		life.Start(ctx)
		var looks atomic.Int64
		background.NewFollowers(&life, background.Real).Follow("s", func(context.Context) bool { looks.Add(1); return false })
		time.Sleep(10 * time.Minute)
		first := looks.Swap(0)
		time.Sleep(4 * time.Hour)
		if rest := looks.Load(); first < 55 || rest > 100 {
			t.Errorf("%d looks in ten minutes, %d in the four hours after", first, rest)
		}
		stop()
		life.Wait()
	})
}

// One thing has one turn at a time, few turns are taken at once, and a slow one holds up no other.
func TestSchedulerBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		busy, most, taken := map[string]bool{}, 0, map[string]int{}
		hold := make(chan struct{})
		s := turns(t, 3, func() (all []background.Task) {
			for i := range 20 {
				id := fmt.Sprint(i)
				all = append(all, background.Task{ID: id, Rest: every(time.Hour), Do: func(ctx context.Context) error {
					mu.Lock()
					if busy[id] {
						t.Errorf("%s has two turns at once", id)
					}
					busy[id] = true
					taken[id]++
					most = max(most, len(busy))
					mu.Unlock()
					if id == "0" {
						select {
						case <-hold:
						case <-ctx.Done():
						}
					}
					mu.Lock()
					delete(busy, id)
					mu.Unlock()
					return nil
				}})
			}
			return all
		})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		s.Poke("0") // while it is busy: another turn follows
		synctest.Wait()
		mu.Lock()
		if len(taken) != 20 || most > 3 || taken["0"] != 1 {
			t.Errorf("%d things had a turn, %d at once, the held one %d: want 20, at most 3, 1", len(taken), most, taken["0"])
		}
		mu.Unlock()
		close(hold)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if taken["0"] != 2 {
			t.Errorf("poked while busy, it had %d turns, want 2", taken["0"])
		}
	})
}

func TestLocksExcludeByName(t *testing.T) {
	t.Parallel()
	var l background.Locks
	var wg sync.WaitGroup
	counts := [2]int{}
	for i := range 200 {
		wg.Go(func() {
			defer l.Lock(fmt.Sprint(i % 2))()
			counts[i%2]++ // a race where the lock does not hold
		})
	}
	wg.Wait()
	if counts != [2]int{100, 100} {
		t.Errorf("counted %v", counts)
	}
}

func TestFollowersFollowWhoeverWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var life background.Life
		f := background.NewFollowers(&life, background.Real)
		var looks atomic.Int64
		look := func(context.Context) bool { return looks.Add(1) == 100 }
		f.Follow("s", look)
		synctest.Wait()
		if looks.Load() != 0 {
			t.Error("a session was followed before the start")
		}
		ctx, stop := context.WithCancel(t.Context())
		life.Start(ctx)
		f.Follow("s", look)
		f.Follow("s", look)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := looks.Load(); n != 7 { // at once, then each ten seconds, by one follower
			t.Errorf("looked %d times in a minute with nobody waiting, want 7", n)
		}
		changed, leave := f.Await("s")
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := looks.Load(); n < 30 {
			t.Errorf("looked %d times, want about 32 with somebody waiting", n)
		}
		f.Tell("s")
		select {
		case <-changed:
		default:
			t.Error("the waiter was not told")
		}
		leave()
		stop()
		life.Wait()
		before := looks.Load()
		f.Poke("s")
		time.Sleep(time.Minute)
		if looks.Load() != before {
			t.Error("the follower outlived the daemon")
		}
	})
}

func TestLifeEndsItsWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var life background.Life
		var ran atomic.Int64
		work := func(ctx context.Context) { ran.Add(1); <-ctx.Done() }
		life.Go(work)
		life.GoOnce("a", work)
		ctx, stop := context.WithCancel(t.Context())
		life.Start(ctx)
		life.Go(work)
		life.GoOnce("a", work)
		life.GoOnce("a", work)
		call, hangUp := context.WithCancel(t.Context())
		life.Outlive(call, work)
		hangUp()
		synctest.Wait()
		if ran.Load() != 3 {
			t.Errorf("%d pieces of work run, want 3", ran.Load())
		}
		stop()
		life.Wait()
		<-life.Stopping()
		life.Go(work)
		synctest.Wait()
		if ran.Load() != 3 {
			t.Error("work began after the stop")
		}
	})
}

func TestRecentForgets(t *testing.T) {
	t.Parallel()
	r := background.NewRecent(time.Minute, 3)
	now := time.Now()
	for i, c := range []struct {
		id    string
		after time.Duration
		again bool
	}{
		{"a", 0, false}, {"a", time.Second, true}, {"b", time.Second, false}, {"a", 61 * time.Second, false},
		{"c", 62 * time.Second, false}, {"d", 62 * time.Second, false}, {"a", 63 * time.Second, true},
	} {
		if got := r.Again(c.id, now.Add(c.after)); got != c.again {
			t.Errorf("%d: %s came again: %v, want %v", i, c.id, got, c.again)
		}
	}
	r.Forget("a")
	if r.Again("a", now.Add(64*time.Second)) {
		t.Error("what was forgotten counts as seen")
	}
}
