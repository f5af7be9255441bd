package sshd

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	gossh "golang.org/x/crypto/ssh"
)

// LoadHostKey reads the host key at path, and makes it when it is not there.
// Of two processes that make it at once, one wins and both use its key.
func LoadHostKey(path string) (gossh.Signer, error) {
	signer, err := readHostKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return signer, err
	}
	if err := makeHostKey(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("sshd: making the host key: %w", err)
	}
	return readHostKey(path)
}

func readHostKey(path string) (gossh.Signer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("sshd: host key: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("sshd: host key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("sshd: host key %s is not a regular file", path)
	}
	// Windows keeps no such bits; there the directory's access list guards the file.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("sshd: host key %s can be read by others (mode %04o): run chmod 600 on it, or remove it if it may have been copied", path, mode)
	}
	const large = 64 << 10
	if info.Size() > large {
		return nil, fmt.Errorf("sshd: host key %s is not a key: it has %d bytes", path, info.Size())
	}
	text := make([]byte, info.Size())
	if _, err := f.ReadAt(text, 0); err != nil && info.Size() > 0 {
		return nil, fmt.Errorf("sshd: host key: %w", err)
	}
	signer, err := gossh.ParsePrivateKey(text)
	if err != nil {
		// The parser's words may quote the file, so they are not passed on.
		return nil, fmt.Errorf("sshd: host key %s is damaged or has a passphrase", path)
	}
	if !acceptableKey(signer.PublicKey()) {
		return nil, fmt.Errorf("sshd: host key %s is of a weak kind (%s)", path, signer.PublicKey().Type())
	}
	return signer, nil
}

// makeHostKey writes a new Ed25519 key. The file appears at its path complete
// or not at all, and never replaces one that is there.
func makeHostKey(path string) error {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := gossh.MarshalPrivateKey(private, "")
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".host_key_*") // CreateTemp makes files with mode 0600.
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	if _, err = f.Write(pem.EncodeToMemory(block)); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Link(f.Name(), path)
}
