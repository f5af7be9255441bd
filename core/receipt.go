// Receipts: what the portal has done with somebody's data, signed with its host
// key, so that it can be shown to others and checked with ssh-keygen.

package core

import (
	"encoding/json"

	"postern/core/signature"
)

// Receipt is a signed document. Document is one line of JSON with its newline,
// exactly as it was signed; Signature is armored (SSHSIG, namespace
// "postern-receipt") and Key the public key, a line of authorized_keys. Both are
// "" of a portal that has no key.
type Receipt struct {
	Document  string `json:"document"`
	Signature string `json:"signature,omitempty"`
	Key       string `json:"key,omitempty"`
}

// sign makes a receipt of a document.
func (b *base) sign(doc any) (Receipt, error) {
	line, err := json.Marshal(doc)
	if err != nil {
		return Receipt{}, err
	}
	r := Receipt{Document: string(line) + "\n"}
	if b.signer == nil {
		return r, nil
	}
	r.Key = b.signer.PublicKey()
	r.Signature, err = b.signer.Sign(signature.Receipt, []byte(r.Document))
	return r, err
}
