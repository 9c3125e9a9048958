package config_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/config"
	"github.com/bankctl/bankctl/internal/secret"
)

// A change of any setting is named, and a reload takes over those that it names as live, and no other.
func TestEveryChangeIsNamed(t *testing.T) {
	t.Parallel()
	derived := []string{"File", "MayCreateKey", "SecretFiles"} // of where settings come from, and of other settings
	fields := reflect.TypeFor[config.Config]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		if slices.Contains(derived, name) {
			continue
		}
		var old, latest config.Config
		switch field := reflect.ValueOf(&latest).Elem().Field(i); name {
		case "PlaidSecret":
			latest.PlaidSecret = secret.New("x")
		case "LinkProducts":
			latest.LinkProducts.Optional = []string{"x"}
		case "Backups":
			latest.Backups.Dir = "x"
		case "KEK":
			latest.KEK.VaultToken = secret.New("x")
		case "PlaidTimeout":
			latest.PlaidTimeout = time.Second
		default:
			if field.CanInt() {
				field.SetInt(4)
			} else {
				field.SetString("x")
			}
		}
		live, fixed := config.Changes(old, latest)
		if len(live)+len(fixed) != 1 {
			t.Errorf("%s: named live %v, fixed %v", name, live, fixed)
		}
		if taken := !reflect.DeepEqual(old.WithLive(latest), old); taken != (len(live) == 1) {
			t.Errorf("%s: live %v, taken over %v", name, live, taken)
		}
	}
}
