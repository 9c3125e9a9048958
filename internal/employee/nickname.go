package employee

import (
	"slices"
	"strings"
	"sync"
)

// formalNames maps a nickname to its formal names. A formal name stands only for itself, so that Alexander and
// Alexandra, who are both Alex, do not match.
var formalNames = sync.OnceValue(func() map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(nicknames) {
		name, short, _ := strings.Cut(strings.TrimSpace(line), ":")
		for _, s := range strings.Fields(short) {
			out[s] = append(out[s], name)
		}
	}
	return out
})

// nicknames lists the common ones of the United States, and some that people bring along.
const nicknames = `abigail: abby abbie gail
albert: al bert
alexander: alex xander sandy
alexandra: alex sandra lexi
alfred: al fred alf
amanda: mandy
andrew: andy drew
anthony: tony
antonio: tony
barbara: barb barbie
benjamin: ben benny
catherine: cathy cat kate katie
katherine: kathy kate katie kat kay
charles: charlie chuck chas
christian: chris
christina: chris christy tina
christine: chris christy tina
christopher: chris kit topher
chukwuemeka: emeka
cynthia: cindy
daniel: dan danny
danielle: dani
david: dave davey
deborah: deb debbie
dimitrios: dimitris dimitri jim
donald: don donny
dorothy: dot dottie dolly
douglas: doug
edward: ed eddie ted ned
edwin: ed eddie
eleanor: ellie nell
elizabeth: liz lizzie beth betsy betty eliza libby
emily: em emmy
eugene: gene
frances: fran frannie
francis: frank fran
francisco: frank paco pancho cisco
frederick: fred freddy rick
gabriel: gabe
gabriela: gabby
gerald: jerry gerry
gregory: greg
guadalupe: lupe
harold: hal harry
henry: hank harry hal
ioannis: giannis yiannis john
isabella: bella izzy
jacob: jake
jacqueline: jackie
james: jim jimmy jamie jem
janet: jan
jeffrey: jeff
jennifer: jen jenny
jeremiah: jerry
jessica: jess jessie
jesus: chuy
john: jack johnny jon
jonathan: jon jonny nathan
jose: pepe
joseph: joe joey
joshua: josh
judith: judy
kenneth: ken kenny
kimberly: kim
lawrence: larry
leonard: len leo lenny
leonardo: leo
louis: lou louie
luis: lucho
manuel: manny
margaret: maggie meg peggy marge margie
martha: marty
matthew: matt
maximilian: max
melissa: missy mel
michael: mike mickey mick
michelle: shelly
mitchell: mitch
nancy: nan
natalie: nat
nathan: nate nat
nathaniel: nate nat nathan
nicholas: nick nicky
nicole: nikki
pamela: pam
patricia: pat patty tricia trish
patrick: pat paddy
peter: pete
philip: phil
phillip: phil
rafael: rafa
raymond: ray
rebecca: becky becca
richard: rich rick ricky dick
robert: rob bob bobby robbie bert
roberto: beto
ronald: ron ronny
rosemary: rose rosie
russell: russ
samantha: sam sammy
samuel: sam sammy
sandra: sandy
stephanie: steph
stephen: steve
steven: steve
susan: sue susie
suzanne: sue suzie
teresa: terry tess
theresa: terry tess
terrence: terry
theodore: ted teddy theo
thomas: tom tommy
timothy: tim
valerie: val
victor: vic
victoria: vicky tori
vincent: vince vinny
virginia: ginny
walter: walt wally
william: will bill billy liam willy
zachary: zach zack`

// sameGiven reports whether two given names can be one person's.
func sameGiven(a, b string) bool {
	return slices.ContainsFunc(namesOf(a), func(n string) bool { return slices.Contains(namesOf(b), n) })
}

func namesOf(name string) []string { return append([]string{name}, formalNames()[name]...) }
