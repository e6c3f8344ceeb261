// SPDX-License-Identifier: Apache-2.0

package safetext

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// kind says how far a name, or a place in a command line, makes its value a secret.
type kind uint8

const (
	kindNone kind = iota
	// kindWeak: the value is a secret if it looks like one (--key, --auth).
	kindWeak
	// kindGuess is for -p, which is a secret, a port, a path or a project.
	kindGuess
	// kindKey: a secret, unless it is the path of a file that holds it.
	kindKey
	// kindSecret: a secret, whatever it looks like.
	kindSecret
	// kindHeader: so is everything up to the end of the line.
	kindHeader
	// kindUser: what follows the colon is a secret.
	kindUser
	// kindWebhook: a URL whose path is a secret.
	kindWebhook
)

// nameMax bounds the names that are looked at, in bytes.
const nameMax = 96

// secretNames are the last words of names.
var secretNames = kindsOf(map[kind]string{
	kindSecret: `password passwd passphrase passcode passwort kennwort wachtwoord senha contrasena contraseña hasło
		pass pw psk passkey secret mnemonic otp totp bearer jwt requirepass masterauth userpass rootpass dbpass sshpass keypass
		storepass userpwd dbpwd`,
	kindKey:    `token credential credentials creds apikey accesskey secretkey privatekey accountkey sas`,
	kindWeak:   `key auth pwd passwords secrets session sessionid phpsessid jsessionid sid sig signature`,
	kindHeader: `authorization cookie`, kindWebhook: `webhook`,
})

func kindsOf(words map[kind]string) map[string]kind {
	all := map[string]kind{}
	for k, list := range words {
		for _, w := range strings.Fields(list) {
			all[w] = k
		}
	}
	return all
}

// secretEnds are what a word ends with that has been written together
// (PGPASSWORD, authtoken).
var secretEnds = []string{"password", "passwd", "passphrase", "passwort", "secret", "token", "apikey", "accesskey", "secretkey", "privatekey"}

// keysOf: such keys are secrets (access key), others (sort key) are none.
var keysOf = setOf(`api access secret private account encryption encrypt decryption signing sign master auth shared storage service session
	app application hmac consumer deploy stream root unseal recovery cipher aes jwt webhook subscription license tls ssh`)

var otherKeys = setOf(`public partition sort primary foreign cache group host routing object lookup index hash range row`)

// aboutSecrets are last words of names that say something of a secret, and are
// none (password-file, token-ttl).
var aboutSecrets = setOf(`file files path paths dir directory folder name names id ids type mode url uri endpoint host port ttl expiry
	expiration expires lifetime length len size max min limit count policy prompt stdin env from fd format algorithm alg audience issuer
	rotation enabled required version store provider manager ref arn namespace header budget bucket reader class`)

func setOf(words string) map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.Fields(words) {
		all[w] = true
	}
	return all
}

// nameKind judges the name of an option, a variable or a field.
func nameKind(name string) kind {
	if len(name) < 2 || len(name) > nameMax {
		return kindNone
	}
	var buffer [2 * nameMax]byte
	words := wordsOf(buffer[:0], name)
	last, rest := cutLast(words)
	previous, _ := cutLast(rest)
	switch {
	case len(last) == 0:
		return kindNone
	case string(last) == "id" && string(previous) == "secret":
		return kindWeak // Vault's secret_id
	case aboutSecrets[string(last)]:
		return kindNone
	case string(last) == "key" && keysOf[string(previous)]:
		return kindKey
	case string(last) == "key" && otherKeys[string(previous)]:
		return kindNone
	}
	if k := wordKind(last); k != kindNone {
		return k
	}
	for len(rest) > 0 { // TOKEN_PROD
		last, rest = cutLast(rest)
		if k := wordKind(last); k == kindSecret || k == kindKey {
			return kindWeak
		}
	}
	return kindNone
}

func wordKind(word []byte) kind {
	if k, ok := secretNames[string(word)]; ok {
		return k
	}
	for i, end := range secretEnds {
		if len(word) > len(end) && string(word[len(word)-len(end):]) == end {
			if i < 5 {
				return kindSecret
			}
			return kindKey
		}
	}
	return kindNone
}

// wordsOf appends a name in lower case with its words parted by hyphens: db-password of
// DB_PASSWORD, db.password and dbPassword. Digits at a word's end are dropped.
func wordsOf(to []byte, name string) []byte {
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'A' && c <= 'Z':
			lowerBefore := i > 0 && name[i-1] >= 'a' && name[i-1] <= 'z'
			lowerAfter := i > 0 && i+1 < len(name) && name[i-1] >= 'A' && name[i-1] <= 'Z' && name[i+1] >= 'a' && name[i+1] <= 'z'
			if lowerBefore || lowerAfter {
				to = endWord(to)
			}
			to = append(to, c|0x20)
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80:
			to = append(to, c)
		default:
			to = endWord(to)
		}
	}
	return bytes.TrimSuffix(endWord(to), []byte("-"))
}

func endWord(to []byte) []byte {
	for len(to) > 0 && to[len(to)-1] >= '0' && to[len(to)-1] <= '9' {
		to = to[:len(to)-1]
	}
	if len(to) > 0 && to[len(to)-1] != '-' {
		to = append(to, '-')
	}
	return to
}

func cutLast(words []byte) (last, rest []byte) {
	if at := bytes.LastIndexByte(words, '-'); at >= 0 {
		return words[at+1:], words[:at]
	}
	return words, nil
}

// notSecret are values that say that there is no secret, or of which kind it is.
var notSecret = setOf(`true false yes no on off none null nil stdin prompt`)

// isSecret judges a value by the kind of its name.
func isSecret(k kind, v string) bool {
	if v == "" || v == masked || len(v) < 8 && notSecret[v] {
		return false
	}
	switch k {
	case kindSecret, kindHeader:
		return !strings.HasPrefix(v, "file:/") && !strings.HasPrefix(v, "env:")
	case kindKey:
		return !isPath(v)
	case kindWeak:
		return len(v) >= 6 && looksRandom(v)
	case kindGuess:
		return len(v) >= 5 && looksRandom(v)
	}
	return false
}

// isReference: a shell's variable is none of its value.
func isReference(v string) bool {
	if len(v) < 2 || v[0] != '$' {
		return false
	}
	name := v[1:]
	if name[0] == '{' && name[len(name)-1] == '}' {
		name = name[1 : len(name)-1]
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return !(isNameRune(r) && r != '-' && r != '.') })
}

// randomMax is how much of a value is looked at, in bytes.
const randomMax = 256

// looksRandom: letters and digits mixed, or many letters of both cases; no
// path, URL, JSON, port mapping or sentence.
func looksRandom(v string) bool {
	v = v[:min(len(v), randomMax)]
	if isPath(v) || strings.ContainsAny(v, " {\n") && !strings.Contains(v, "=") || strings.Contains(v, "://") {
		return false
	}
	letters, digits, upper := 0, 0, 0
	for i := range len(v) {
		switch c := v[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'A' && c <= 'Z':
			letters, upper = letters+1, upper+1
		case c >= 'a' && c <= 'z':
			letters++
		}
	}
	if strings.Contains(v, "/") { // base64, or a name
		return len(v) >= 20 && upper > 0 && digits > 0 && !strings.ContainsAny(v, ".-:")
	}
	return letters >= 3 && digits > 0 || letters >= 16 && upper > 0 && upper < letters
}

var (
	rootDirectories = strings.Fields("/etc/ /run/ /var/ /tmp/ /home/ /root/ /opt/ /usr/ /srv/ /mnt/ /dev/ /proc/ /data/ /app/ ./ ../ ~/")
	keyFiles        = strings.Fields(".pem .key .crt .cer .pub .json .yaml .yml .txt .conf .csv .p12 .pfx .jks .kubeconfig")
)

func isPath(v string) bool {
	if strings.ContainsAny(v, " \n\"'") {
		return false
	}
	v = strings.TrimPrefix(strings.TrimPrefix(v, "file://"), "@")
	return slices.ContainsFunc(rootDirectories, func(d string) bool { return strings.HasPrefix(v, d) }) || slices.Contains(keyFiles, path.Ext(v))
}

func lettersOnly(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
}

func isNameRune(r rune) bool { return r >= 0x80 || isNameByte(byte(r)) }

// isNameByte: what a name is made of.
func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c >= 0x80
}

// value masks what follows a name of this kind, if it is a secret.
func (m *masker) value(k kind, t *text, from int) {
	if k == kindUser {
		if colon := strings.IndexAny(t.s[from:], ":%"); colon >= 0 {
			m.mask(t, from+colon+1, len(t.s))
		}
		return
	}
	if v := t.s[from:]; isSecret(k, v) && !(t.nested && isReference(v)) {
		m.mask(t, from, len(t.s))
	}
}
