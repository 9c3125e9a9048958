package cli

import (
	"encoding/json"
	"testing"

	"github.com/bankctl/bankctl/internal/txn"
)

// The name of an export's mark is a digest of this text: another text would have everybody export everything anew.
func TestTheMarkOfAnExportKeepsItsName(t *testing.T) {
	no := false
	o := &txnsExportOptions{format: "csv"}
	o.query = txn.Query{EmployerID: "e", DateFrom: "2026-01-01", Pending: &no, Currency: "usd"}
	o.since, o.min = "30d", "1.50"
	got, err := json.Marshal(newMarkKey(credentials{socket: "s", clientID: "c"}, o))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"Socket":"s","Who":"c","Format":"csv","Query":{"EmployerID":"e","CarrierID":"","Item":"","AccountID":"","DateFrom":"2026-01-01","DateTo":"",` +
		`"Pending":null,"MinCents":null,"MaxCents":null,"Currency":"usd","Text":"","Page":0,"Limit":0,"Cursor":""},"Since":"30d","Min":"1.50","Max":"","Pending":"no"}`
	if string(got) != want {
		t.Errorf("the mark's key is now\n%s, want\n%s", got, want)
	}
}
