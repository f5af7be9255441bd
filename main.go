// Postern is an account portal for the terminal and SSH.
package main

import (
	"os"
	_ "time/tzdata" // people choose time zones; not every machine has the files

	"postern/cmd"
)

func main() { os.Exit(cmd.Main()) }
