package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"testing"
)

func TestEveryRequirementHasOneCheck(t *testing.T) {
	t.Parallel()
	all := checks()
	if len(all) != 166 {
		t.Fatalf("%d checks", len(all))
	}
	for i, c := range all {
		if c.n != i+1 || c.says == "" || c.run == nil {
			t.Errorf("check %d is R%d %q", i+1, c.n, c.says)
		}
	}
}

func TestACheckThatAssertsNothingFails(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(*probe){
		"nothing": func(*probe) {},
		"wrong":   func(p *probe) { p.same("it", 1, 2) },
		"left":    func(p *probe) { p.need(false, "no") },
		"panics":  func(*probe) { panic("x") },
	} {
		if p := (&probe{world: &world{}}); len(p.judge(f)) == 0 {
			t.Errorf("a check passes that asserts %s", name)
		}
	}
	if wrong := (&probe{world: &world{}}).judge(func(p *probe) { p.same("it", 1, 1) }); len(wrong) > 0 {
		t.Errorf("a good check fails: %v", wrong)
	}
}

func TestTheSearchFindsEveryForm(t *testing.T) {
	t.Parallel()
	const number = "784519306217"
	back := []byte(number)
	slices.Reverse(back)
	for name, text := range map[string]string{
		"plain": "x" + number + "y", "hex": hex.EncodeToString([]byte("ab" + number + "c")), "reversed": string(back), "grouped": "7845 1930 6217",
		"base64 0": base64.StdEncoding.EncodeToString([]byte("abc" + number + "def")), "base64 1": base64.StdEncoding.EncodeToString([]byte("abcd" + number + "ef")),
		"base64 2": base64.StdEncoding.EncodeToString([]byte("abcde" + number + "f")), "utf-16": "7\x008\x004\x005\x001\x009\x003\x000\x006\x002\x001\x007\x00",
	} {
		if !slices.ContainsFunc(forms(number), func(f []byte) bool { return bytes.Contains([]byte(text), f) }) {
			t.Errorf("the search does not find it %s", name)
		}
	}
	if slices.ContainsFunc(forms(number), func(f []byte) bool { return len(f) < 8 }) {
		t.Error("a form is so short that it is found by chance")
	}
}
