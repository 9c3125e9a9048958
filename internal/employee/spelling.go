package employee

import (
	"strings"
	"sync"
)

// spelled maps each spelling of a name to the first one of its line.
var spelled = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(spellings) {
		all := strings.Fields(line)
		for _, s := range all {
			out[s] = all[0]
		}
	}
	return out
})

// sameSpelling reports whether two words are spellings of one name.
func sameSpelling(a, b string) bool {
	x, y := spelled()[a], spelled()[b]
	return x != "" && x == y
}

// spellings are lines of one name each, as it is written in Latin letters.
const spellings = `muhammad mohammed mohamed mohammad muhammed mohamad muhamad mehmed mohd md
ahmad ahmed ahmet
hussein hussain husain husayn hosein hossein hussien
hasan hassan
yusuf yousef yousuf youssef yusef yosef
ali aly
abdullah abdallah abdulla abdullahi
abdulrahman abdelrahman abdurrahman abdurahman abdirahman
khalid khaled
omar umar omer
osama usama
fatima fatimah fatma fatema
aisha ayesha aysha aicha
khadija khadijah hadija
zainab zaynab zeinab zeynep
maryam mariam meryem
mustafa mostafa moustafa
ibrahim ebrahim brahim
ismail ismael esmail
saeed said saed sayed syed
alsayed elsayed alsayyid elsayyed
alexander aleksandr alexandr aleksander oleksandr
alexei aleksei alexey aleksey oleksiy
sergei sergey serguei sergii serhiy
yuri yury yuriy iurii iuri yurii
dmitri dmitry dmitriy dmitrii dimitri dmytro
nikolai nikolay nicolai mykola
evgeny evgenii yevgeny yevgeniy eugeny yevhen
yulia julia iuliia yuliya iulia
tatiana tatyana tetiana
natalia nataliya natalya natalie
ekaterina yekaterina katerina kateryna
anastasia anastasiya anastasiia
vladimir wladimir volodymyr
andrei andrey andrii andriy
mikhail mihail mykhailo
ivanov ivanoff
lee yi rhee
park pak bak
choi choe
jung jeong chung joung
cho jo
kang gang
kim gim
yoon yun
shin sin
roh noh
nguyen nguyn
stephen steven stephan
catherine katherine kathryn katharine cathryn catharine kathrine
sarah sara
sofia sophia
philip phillip philippe
geoffrey jeffrey jeffery
marc mark
eric erik erick
jon john
brian bryan
sean shawn shaun
alan allan allen
anne ann anna
teresa theresa
michael micheal mikael
isabel isabelle isabella isobel
elisabeth elizabeth elizabet
susanna suzanna susannah
rachel rachael
deborah debra debora
carl karl
curtis kurtis
nicholas nicolas nickolas
christopher kristopher cristopher
christina kristina cristina
kristin kristen kirsten kirstin
zachary zachery zackary
lindsay lindsey
gonzalez gonzales
hernandez hernandes
rodriguez rodrigues
martinez martines
lopez lopes
perez peres
gomez gomes
jimenez gimenez ximenez
vasquez vazquez
meier meyer maier mayer meijer
schmidt schmitt schmid
johnson jonson
andersen anderson
hansen hanson
olsen olson
larsen larson
nielsen nielson neilson
petersen peterson pedersen
macdonald mcdonald
`
