package enginetest

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bankctl/bankctl/internal/store"
)

// testModel runs random transactions against the engine and a plain map.
func testModel(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		m := machine{t: t, e: open(t), model: map[string]string{}}
		defer m.e.Close()
		rt.Repeat(map[string]func(*rapid.T){
			"update": m.update,
			"":       m.check,
		})
	})
}

type machine struct {
	t     *testing.T
	e     store.Engine
	model map[string]string
}

// step is drawn before its transaction, since the function may run twice.
type step struct {
	kind     string
	key, to  string
	value    string
	reverse  bool
	deleting bool
}

func drawKey() *rapid.Generator[string] {
	short := rapid.StringOfN(rapid.RuneFrom([]rune("ab/")), 1, 3, -1)
	long := rapid.Custom(func(t *rapid.T) string {
		return "long" + string(slices.Repeat([]byte{'x'}, 300)) + short.Draw(t, "tail")
	})
	return rapid.OneOf(short, short, long)
}

func drawStep() *rapid.Generator[step] {
	return rapid.Custom(func(t *rapid.T) step {
		return step{
			kind:     rapid.SampledFrom([]string{"put", "put", "delete", "get", "scan", "scan-writing"}).Draw(t, "kind"),
			key:      drawKey().Draw(t, "key"),
			to:       rapid.OneOf(rapid.Just(""), drawKey()).Draw(t, "to"),
			value:    rapid.OneOf(rapid.StringN(0, 4, -1), rapid.Just(string(make([]byte, 2000)))).Draw(t, "value"),
			reverse:  rapid.Bool().Draw(t, "reverse"),
			deleting: rapid.Bool().Draw(t, "deleting"),
		}
	})
}

func (m *machine) update(rt *rapid.T) {
	steps := rapid.SliceOfN(drawStep(), 1, 12).Draw(rt, "steps")
	fail := rapid.IntRange(0, 3).Draw(rt, "fail") == 0
	var after map[string]string
	err := m.e.Update(m.t.Context(), func(tx store.EngineTx) error {
		model := maps.Clone(m.model)
		for _, s := range steps {
			if err := s.apply(tx, model); err != nil {
				return err
			}
		}
		after = model
		if fail {
			return errRefused
		}
		return nil
	})
	switch {
	case fail && !errors.Is(err, errRefused):
		rt.Fatalf("failing update: %v", err)
	case !fail && err != nil:
		rt.Fatal(err)
	case !fail:
		m.model = after
	}
}

func (m *machine) check(rt *rapid.T) {
	for _, reverse := range []bool{false, true} {
		err := m.e.View(m.t.Context(), func(tx store.EngineTx) error {
			return compare(tx, m.model, "", "", reverse)
		})
		if err != nil {
			rt.Fatal(err)
		}
	}
}

func (s step) apply(tx store.EngineTx, model map[string]string) error {
	switch s.kind {
	case "put":
		model[s.key] = s.value
		return tx.Put([]byte(s.key), []byte(s.value))
	case "delete":
		delete(model, s.key)
		return tx.Delete([]byte(s.key))
	case "get":
		got, err := tx.Get([]byte(s.key))
		want, ok := model[s.key]
		if ok != (err == nil) || !ok && !errors.Is(err, store.ErrNotFound) || string(got) != want {
			return errors.Join(errors.New("get differs from the model"), err)
		}
		return nil
	case "scan":
		return compare(tx, model, s.key, s.to, s.reverse)
	}
	return s.scanWriting(tx, model)
}

// scanWriting rewrites or deletes every key of a range while it scans it.
func (s step) scanWriting(tx store.EngineTx, model map[string]string) error {
	want, got := keysOf(model, s.key, s.to, s.reverse), []string{}
	for e, err := range tx.Scan([]byte(s.key), bound(s.to), s.reverse) {
		if err != nil {
			return err
		}
		got = append(got, string(e.Key))
		if s.deleting {
			delete(model, string(e.Key))
			err = tx.Delete(e.Key)
		} else {
			model[string(e.Key)] = s.value
			err = tx.Put(e.Key, []byte(s.value))
		}
		if err != nil {
			return err
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return errors.New("scan while writing differs from the model: " + diff)
	}
	return compare(tx, model, "", "", false)
}

func compare(tx store.EngineTx, model map[string]string, from, to string, reverse bool) error {
	want := []string{}
	for _, k := range keysOf(model, from, to, reverse) {
		want = append(want, k+"="+model[k])
	}
	got, err := pairs(tx, []byte(from), bound(to), reverse)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return errors.New("scan differs from the model: " + diff)
	}
	return nil
}

func bound(to string) []byte {
	if to == "" {
		return nil
	}
	return []byte(to)
}

func keysOf(model map[string]string, from, to string, reverse bool) []string {
	keys := []string{}
	for _, k := range slices.Sorted(maps.Keys(model)) {
		if k >= from && (to == "" || k < to) {
			keys = append(keys, k)
		}
	}
	if reverse {
		slices.Reverse(keys)
	}
	return keys
}
