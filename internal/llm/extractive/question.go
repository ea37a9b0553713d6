package extractive

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/scailabs/scaigrid/internal/text"
)

// asks is what kind of thing a question wants to hear.
type asks uint8

const (
	anything asks = iota
	aTime
	aNumber
	aPerson
	aPlace
	aReason
)

// askWords are question words by what they ask for, in the languages that the
// answerer speaks. Longer ones are tried first, so that "how many" is not "how".
var askWords = []struct {
	kind asks
	form *regexp.Regexp
}{
	{aTime, words(`when|what (?:year|date|day|month|century|decade|time)|which (?:year|century|decade|month|day)|in what year|how long ago|since when|until when`,
		`wann|welches jahr|welchem jahr|wie spät|seit wann|bis wann`, `quand|quelle (?:année|date|heure)|quel (?:jour|mois|siècle)`,
		`wanneer|welk jaar|hoe laat|sinds wanneer`, `cuándo|qué (?:año|día|fecha|mes|siglo|hora)`, `quando|che (?:anno|giorno|ora)|quale anno|quale data`, `em que (?:ano|dia|mês|data)|que horas`)},
	{aNumber, words(`how (?:many|much|long|far|old|tall|large|big|high|deep|often|fast|wide|heavy)|what (?:percent\w*|number|amount|proportion|fraction|age|size|population|price|cost)`,
		`wie ?viele?|wie (?:lange?|weit|alt|hoch|gross|groß|oft|schnell|teuer|schwer)|wieviel`, `combien|quel (?:pourcentage|nombre|prix|âge|montant)|quelle (?:taille|somme|distance|durée)`,
		`hoeveel|hoe (?:lang|ver|oud|hoog|groot|vaak|snel|duur|zwaar)`, `cuánt[oa]s?|qué (?:porcentaje|número|cantidad|edad|tamaño)`, `quant[oaie]|quale (?:percentuale|numero|età)`, `quant[oa]s?|que (?:percentagem|número|idade)`)},
	{aPerson, words(`who|whose|whom|what (?:person|people|author|company|team|group)|which (?:person|author|company|team|group)`,
		`wer|wem|wen|wessen`, `qui`, `wie(?: is| was| zijn| heeft| kan| mag)`, `quién|quiénes`, `chi`, `quem`)},
	{aPlace, words(`where|(?:what|which) (?:city|country|state|place|region|location|town)`, `wo|woher|wohin|welche[rs]? (?:stadt|land|ort)`, `où|quel pays|quelle ville`, `waar|welke? (?:stad|land|plaats)`, `dónde|adónde`, `dove`, `onde|aonde`)},
	{aReason, words(`why|what (?:causes?|caused|reason|led)|how come`, `warum|weshalb|wieso|wozu`, `pourquoi`, `waarom`, `por qué`, `perché`, `por que|por quê|porquê`)},
}

func words(byLanguage ...string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:^|[^\p{L}])(?:` + strings.Join(byLanguage, "|") + `)(?:[^\p{L}]|$)`)
}

// wants tells what a question asks for.
func wants(question string) asks {
	for _, w := range askWords {
		if w.form.MatchString(question) {
			return w.kind
		}
	}
	return anything
}

var (
	yearOrMonth = words(`1[0-9]{3}|20[0-9]{2}|january|february|march|april|may|june|july|august|september|october|november|december|\d{1,2}[:.]\d{2}|\d{1,2} ?[ap]m|centur(?:y|ies)|monday|tuesday|wednesday|thursday|friday|saturday|sunday|days?|weeks?|months?|years?|hours?|minutes?`,
		`januar|februar|märz|mai|juni|juli|oktober|dezember|jahrhunderts?|montags?|dienstags?|mittwochs?|donnerstags?|freitags?|samstags?|sonntags?|tagen?|wochen?|monaten?|jahren?|stunden?|uhr`,
		`janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|siècle|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|jours?|semaines?|mois|ans?|heures?`,
		`januari|februari|maart|mei|augustus|oktober|eeuw|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|dagen?|we(?:ek|ken)|maand(?:en)?|jaar|uur`,
		`enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|siglo|lunes|martes|miércoles|jueves|viernes|sábado|domingo|días?|semanas?|mes(?:es)?|años?|horas?`,
		`gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|secolo|lunedì|martedì|mercoledì|giovedì|venerdì|domenica|giorn[oi]|settiman[ae]|mes[ei]|ann[oi]|or[ae]`,
		`janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|dezembro|século|segunda|terça|quarta|quinta|sexta|dias?|anos?`)
	digits  = regexp.MustCompile(`\p{Nd}`)
	numbers = words(`one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundreds?|thousands?|millions?|billions?|half|third|quarter|percent|dozens?|once|twice`,
		`eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|zwanzig|hundert|tausend|millionen|milliarden|hälfte|drittel|viertel|prozent`,
		`deux|trois|quatre|cinq|sept|huit|neuf|dix|onze|douze|vingt|cent|mille|moitié|tiers|quart`, `twee|drie|vijf|zes|zeven|negen|tien|twaalf|twintig|honderd|duizend|miljoen|miljard|helft|derde|kwart|procent`,
		`dos|tres|cuatro|seis|siete|ocho|nueve|diez|doce|veinte|cien|mil|millones|mitad|tercio`, `due|tre|quattro|sei|sette|otto|dieci|dodici|venti|cento|mila|milioni|metà|terzo`, `dois|três|seis|sete|oito|nove|dez|vinte|milhões|metade`)
	reasons = words(`because|due to|since|as a result|in order to|therefore|so that|caused?|causes|reasons?|led to|owing|so`, `weil|da|denn|wegen|damit|deshalb|daher|grund|um`, `parce que|car|afin|pour|donc|raison|grâce`,
		`omdat|want|daarom|doordat|zodat|vanwege|reden`, `porque|debido|para|por eso|razón`, `perché|poiché|affinché|per|quindi|dovuto`, `porque|pois|devido|para|razão`)
)

// fits says how well a sentence has what is asked for: 1 yes, negative no.
func (a asks) fits(sentence, lang string, inQuestion map[string]bool) float64 {
	switch a {
	case aTime:
		return pick(yearOrMonth.MatchString(sentence), 1, -0.5)
	case aNumber:
		return pick(digits.MatchString(sentence) || numbers.MatchString(sentence), 1, -0.7)
	case aPerson:
		if lang != "de" { // every noun has a capital there
			return pick(names(sentence, inQuestion), 0.6, -0.4)
		}
	case aPlace:
		if lang != "de" {
			return pick(names(sentence, inQuestion), 0.5, -0.3)
		}
	case aReason:
		return pick(reasons.MatchString(sentence), 0.8, 0)
	}
	return 0
}

func pick(yes bool, a, b float64) float64 {
	if yes {
		return a
	}
	return b
}

// names tells whether a sentence has a capitalised word inside that the
// question does not have. Scripts without capitals always have.
func names(sentence string, inQuestion map[string]bool) bool {
	cased := false
	first := true
	for _, t := range text.Tokens(sentence) {
		r := []rune(sentence[t.Start:t.End])[0]
		cased = cased || unicode.IsLower(r) || unicode.IsUpper(r)
		if !first && unicode.IsUpper(r) && !inQuestion[t.Text] {
			return true
		}
		first = false
	}
	return !cased
}
