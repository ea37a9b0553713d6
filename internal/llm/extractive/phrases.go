package extractive

import (
	"strings"

	"github.com/scailabs/scaigrid/internal/text"
)

// phrases are what the answerer says of itself in one language.
type phrases struct {
	unknown string
	hello   string
	thanks  string
	bye     string
	near    string // before headings that it could speak about
}

var spoken = map[string]phrases{
	"en": {"I don't know: the documents I have do not answer this.", "Hello! What would you like to know?", "You're welcome! Is there anything else you would like to know?", "Goodbye, and thank you for your visit!", "I can tell you about:"},
	"de": {"Das weiß ich nicht: In meinen Dokumenten steht dazu keine Antwort.", "Guten Tag! Was möchten Sie wissen?", "Gern geschehen! Möchten Sie noch etwas wissen?", "Auf Wiedersehen und danke für Ihren Besuch!", "Auskunft geben kann ich zu:"},
	"fr": {"Je ne sais pas : mes documents ne répondent pas à cette question.", "Bonjour ! Que souhaitez-vous savoir ?", "Avec plaisir ! Souhaitez-vous savoir autre chose ?", "Au revoir et merci de votre visite !", "Je peux vous renseigner sur :"},
	"nl": {"Dat weet ik niet: mijn documenten geven hier geen antwoord op.", "Hallo! Wat wilt u weten?", "Graag gedaan! Wilt u nog iets weten?", "Tot ziens en bedankt voor uw bezoek!", "Ik kan u iets vertellen over:"},
	"es": {"No lo sé: mis documentos no responden a esta pregunta.", "¡Hola! ¿Qué desea saber?", "¡De nada! ¿Desea saber algo más?", "¡Adiós y gracias por su visita!", "Puedo informarle sobre:"},
	"it": {"Non lo so: i miei documenti non rispondono a questa domanda.", "Buongiorno! Che cosa desidera sapere?", "Prego! Desidera sapere altro?", "Arrivederci e grazie della visita!", "Posso darle informazioni su:"},
	"pt": {"Não sei: os meus documentos não respondem a esta pergunta.", "Olá! O que gostaria de saber?", "De nada! Gostaria de saber mais alguma coisa?", "Até logo e obrigado pela visita!", "Posso informar sobre:"},
}

// speak returns the phrases of the first of the languages that there are any of.
func speak(langs ...string) phrases {
	for _, l := range langs {
		l, _, _ = strings.Cut(strings.ToLower(l), "-")
		if p, ok := spoken[l]; ok {
			return p
		}
	}
	return spoken["en"]
}

// courtesy is a message that asks nothing.
type courtesy uint8

const (
	noCourtesy courtesy = iota
	greeting
	thanking
	leaving
)

// courtesies are whole messages, folded and without marks.
var courtesies = map[courtesy]map[string]string{
	greeting: {
		"en": "hi|hello|hey|hi there|hello there|good morning|good afternoon|good evening|good day|greetings|howdy",
		"de": "hallo|guten tag|guten morgen|guten abend|moin|moin moin|servus|gruss gott|grusse|hallo zusammen|hallochen",
		"fr": "bonjour|salut|bonsoir|coucou|bonjour a tous",
		"nl": "hoi|goedemorgen|goedemiddag|goedenavond|goedendag|dag|hallo daar",
		"es": "hola|buenos dias|buenas tardes|buenas noches|buenas|que tal",
		"it": "ciao|buongiorno|buonasera|salve|buon giorno|buona sera",
		"pt": "ola|oi|bom dia|boa tarde|boa noite",
	},
	thanking: {
		"en": "thanks|thank you|thx|thanks a lot|thank you very much|many thanks|thank you so much|ok thanks|great thanks|cheers|perfect thanks|ok thank you",
		"de": "danke|danke schon|dankeschon|vielen dank|danke sehr|besten dank|herzlichen dank|ok danke|super danke|danke dir|danke ihnen",
		"fr": "merci|merci beaucoup|merci bien|ok merci|super merci|grand merci",
		"nl": "bedankt|dank je|dank u|dankjewel|dank je wel|dank u wel|hartelijk dank|ok bedankt",
		"es": "gracias|muchas gracias|mil gracias|ok gracias|vale gracias",
		"it": "grazie|grazie mille|molte grazie|ok grazie|tante grazie",
		"pt": "obrigado|obrigada|muito obrigado|muito obrigada|ok obrigado|ok obrigada",
	},
	leaving: {
		"en": "bye|goodbye|bye bye|see you|good bye|have a nice day",
		"de": "tschuss|auf wiedersehen|ciao ciao|bis bald|tschau",
		"fr": "au revoir|a bientot|bonne journee",
		"nl": "tot ziens|doei|doeg|dag dag",
		"es": "adios|hasta luego|hasta pronto|chao",
		"it": "arrivederci|a presto|addio",
		"pt": "adeus|tchau|ate logo|ate breve",
	},
}

// courteous tells whether a message is nothing but a greeting, thanks or a
// farewell, and in which language.
func courteous(message string) (courtesy, string) {
	if len(message) > 80 {
		return noCourtesy, ""
	}
	var words []string
	for _, t := range text.Tokens(message) {
		if !t.Joint {
			words = append(words, text.Fold(t.Text))
		}
	}
	whole := strings.Join(words, " ")
	for _, c := range []courtesy{greeting, thanking, leaving} {
		for _, lang := range []string{"en", "de", "fr", "nl", "es", "it", "pt"} {
			for w := range strings.SplitSeq(courtesies[c][lang], "|") {
				if whole == w {
					return c, lang
				}
			}
		}
	}
	return noCourtesy, ""
}
