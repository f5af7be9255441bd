// Who lives here. All of them are invented.

package demo

import "strings"

// person is somebody of the story.
type person struct {
	user, name string
}

// cast are the people, in the order in which they come. The first one sets the portal up.
func cast() []person {
	var list []person
	for line := range strings.Lines(castList) {
		user, name, found := strings.Cut(strings.TrimSpace(line), " ")
		if found {
			list = append(list, person{user, name})
		}
	}
	return list
}

const castList = `
lin Lin Åkerman
ada Ada Okonjo
joaquin Joaquín Barrera
mei Mei Tachibana
tomas Tomás Vieira
yusuf Yusuf Demirel
priya Priya Raghunath
olena Olena Kovalchuk
kofi Kofi Asante-Boadu
ines Inês Carvalhal
bram Bram van Oosten
hyejin Hye-jin Pak
leila Leila Farahani
mateus Mateus Figueira
anika Anika Rosenkvist
tendai Tendai Moyana
sofia Sofía Larrañaga
nils Nils Haugeland
amina Amina Benyoucef
rui Rui Sequeira
katya Katya Belinskaya
dario Dario Montefiori
wanjiru Wanjiru Kamande
aoife Aoife Ní Bhraonáin
minh Minh Trần
zofia Zofia Wójcicka
hakan Håkan Lindqvist
noor Noor al-Sabbagh
emeka Emeka Chukwuma
claudia Cláudia Monteverde
ravi Ravi Subramani
eleni Eleni Papadaki
soren Søren Bødtker
paloma Paloma Quispe
jiro Jirō Kanemori
marta Marta Ferrández
idris Idris Oyelaran
lucia Lucía Etxeberria
viktor Viktor Dragomir
sana Sana Qureishi
henrik Henrik Ahlgren
bianca Bianca Tolentino
arjun Arjun Devaraj
freya Freya Thorvaldsen
samuel Samuel Adjei
iman Iman Haddadin
pedro Pedro Albuquerque
yara Yara Nascimento
stefan Stefan Krumlov
chiara Chiara Bellandi
tariq Tariq Mansouri
lotte Lotte Brandsma
kenji Kenji Morikawa
rosa Rosa Altamirano
gwen Gwen Pritchardson
oskar Oskar Wiśniak
thandi Thandi Khumalo
eduardo Eduardo Salvatierra
mira Mira Stojanović
quinn Quinn Hathersage
`
