// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority is the cluster's CA.
type authority struct {
	dir    string
	key    *ecdsa.PrivateKey
	cert   *x509.Certificate
	serial int64
}

// pair is a certificate and its key, as files.
type pair struct{ cert, key string }

const pairLifetime = 24 * time.Hour

func (b *Bed) makeKeys(context.Context) error {
	dir := b.path("pki")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ca := &authority{dir: dir}
	template := ca.template(pkix.Name{CommonName: "kubernetes"})
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	if _, err := ca.sign("ca", template); err != nil {
		return err
	}
	b.keys, b.CA = ca, filepath.Join(dir, "ca.crt")
	return ca.write("service-account.key", "EC PRIVATE KEY", ca.newKey)
}

// client signs a certificate for a user.
func (a *authority) client(file, user string, groups ...string) (pair, error) {
	t := a.template(pkix.Name{CommonName: user, Organization: groups})
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.sign(file, t)
}

// server signs a certificate for an address.
func (a *authority) server(file, ip string, names ...string) (pair, error) {
	t := a.template(pkix.Name{CommonName: file})
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	t.IPAddresses, t.DNSNames = []net.IP{net.ParseIP(ip)}, names
	return a.sign(file, t)
}

func (a *authority) template(subject pkix.Name) *x509.Certificate {
	a.serial++
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: subject,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(pairLifetime),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
}

// sign makes a key and its certificate; the first is the authority's own.
func (a *authority) sign(name string, t *x509.Certificate) (pair, error) {
	p := pair{filepath.Join(a.dir, name+".crt"), filepath.Join(a.dir, name+".key")}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return p, err
	}
	signer, parent := a.key, a.cert
	if signer == nil {
		signer, parent = key, t
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, &key.PublicKey, signer)
	if err != nil {
		return p, err
	}
	if a.key == nil {
		a.key = key
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			return p, err
		}
	}
	return p, errors.Join(
		a.write(name+".crt", "CERTIFICATE", func() ([]byte, error) { return der, nil }),
		a.write(name+".key", "EC PRIVATE KEY", func() ([]byte, error) { return x509.MarshalECPrivateKey(key) }),
	)
}

func (a *authority) newKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return x509.MarshalECPrivateKey(key)
}

func (a *authority) write(name, kind string, content func() ([]byte, error)) error {
	der, err := content()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(a.dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
