package memory_test

import (
	"testing"

	"postern/store"
	"postern/store/memory"
	"postern/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return memory.New() }, nil)
}

func TestContractSealed(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		keys, err := store.NewKeyset(nil)
		if err != nil {
			t.Fatal(err)
		}
		return store.Seal(memory.New(), keys)
	}, nil)
}

func TestContractFaulty(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return storetest.NewFaulty(memory.New()) }, nil)
}
