package core

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"

	"postern/core/signature"
)

// Forge makes a proof fit a file that was changed, as somebody would who has a key
// of their own, or none: rows may be changed first, then all is signed by that key.
func Forge(file, proof []byte, by *signature.Signer, change func(row map[string]any)) ([]byte, error) {
	var out bytes.Buffer
	portal := ""
	for _, raw := range bytes.Split(bytes.TrimSpace(proof), []byte("\n")) {
		var loose map[string]map[string]any
		if err := json.Unmarshal(raw, &loose); err != nil {
			return nil, err
		}
		if change != nil {
			change(loose["proof"])
		}
		raw, err := json.Marshal(loose)
		if err != nil {
			return nil, err
		}
		var row proofRow
		if err := json.Unmarshal(raw, &row); err != nil {
			return nil, err
		}
		if b := row.Proof.Begin; b != nil {
			portal = b.Portal
		}
		if h := row.Proof.Head; h != nil {
			if h.Key, h.Signature, err = forged(by, h.statement(statementHead, portal)); err != nil {
				return nil, err
			}
		}
		if e := row.Proof.End; e != nil {
			sum, rows := sha256.Sum256(file), sha256.Sum256(out.Bytes())
			e.Digest, e.Rows = sum[:], rows[:]
			if e.Key, e.Signature, err = forged(by, e.statement(portal)); err != nil {
				return nil, err
			}
		}
		if raw, err = json.Marshal(row); err != nil {
			return nil, err
		}
		out.Write(append(raw, '\n'))
	}
	return out.Bytes(), nil
}

func forged(by *signature.Signer, doc []byte) (key, armored string, err error) {
	if by == nil {
		return "", "", nil
	}
	armored, err = by.Sign(signature.Audit, doc)
	return by.PublicKey(), armored, err
}
