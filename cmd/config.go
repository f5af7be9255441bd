// Settings: flags win over the environment (POSTERN_*), and that over a file in
// TOML. A key that nobody knows is refused where it was written by hand, in the
// file; in the environment it is passed over, because others put variables
// there too (a service called "postern" gets POSTERN_PORT from Kubernetes). How
// mail and text messages leave has no flags: with them are passwords, and a flag
// is seen by everybody who lists processes.

package cmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/adrg/xdg"
	"github.com/go-viper/mapstructure/v2"
	tomlparser "github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/confmap"
	envprovider "github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"postern/core/password"
	"postern/core/text"
)

// settings are what an operator decides, and not an admin: where the data is,
// how one comes in, what a hash may cost.
type settings struct {
	Data     string       `koanf:"data"`     // the data directory
	SSH      string       `koanf:"ssh"`      // the address of the SSH door
	Plain    bool         `koanf:"plain"`    // line prompts instead of screens
	Breached string       `koanf:"breached"` // a file of breached passwords
	Log      logSettings  `koanf:"log"`
	Hash     hashSettings `koanf:"hash"`
	Mail     mailSettings `koanf:"mail"`
	SMS      smsSettings  `koanf:"sms"`
	Posts    postSettings `koanf:"posts"`
}

// postSettings are about what scripts post.
type postSettings struct {
	// Private lets posts go to private addresses and to this machine, for networks
	// that have no others. Whoever writes scripts then reaches what this machine does.
	Private bool `koanf:"private"`
}

type logSettings struct {
	Level string `koanf:"level"` // debug, info, warn or error
}

// hashSettings are the costs of a password's hash, Argon2id.
type hashSettings struct {
	Memory int `koanf:"memory"` // MiB
	Time   int `koanf:"time"`   // passes
	Slots  int `koanf:"slots"`  // hashes at once; 0: as many as there are cores, and memory allows
}

// defaultSSH is this machine only: whoever opens the door to the network says so.
// 2222 is what `ssh -p 2222 localhost` in every guide expects.
const defaultSSH = "127.0.0.1:2222"

// flagOf are the flags by the key of their setting, "" for those that have none.
// What is not here is no setting.
func flagOf() map[string]string {
	return map[string]string{
		"data": "data", "ssh": "ssh", "plain": "plain", "breached": "breached", "log.level": "log-level",
		"hash.memory": "hash-memory", "hash.time": "hash-time", "hash.slots": "hash-slots",
		"mail.host": "", "mail.port": "", "mail.tls": "", "mail.user": "", "mail.password": "",
		"mail.from": "", "mail.from_name": "", "mail.ca": "",
		"sms.kind": "", "sms.url": "", "sms.account": "", "sms.token": "", "sms.from": "", "sms.ca": "",
		"posts.private": "",
	}
}

// envOf is the variable of a setting.
func envOf(key string) string {
	return "POSTERN_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// defaults are the settings of somebody who has set nothing.
func defaults() map[string]any {
	p := password.DefaultParams()
	return map[string]any{
		"data": filepath.Join(xdg.DataHome, "postern"), "ssh": defaultSSH, "plain": false, "breached": "",
		"log.level": "info", "hash.memory": int(p.Memory / 1024), "hash.time": int(p.Time), "hash.slots": 0,
	}
}

// configFile is where settings are looked for unless --config says otherwise.
func configFile() string { return filepath.Join(xdg.ConfigHome, "postern", "postern.toml") }

// settings reads all three sources.
func (p *process) settings(flags *pflag.FlagSet) (settings, error) {
	k := koanf.New(".")
	var s settings
	if err := k.Load(confmap.Provider(defaults(), "."), nil); err != nil {
		return s, err
	}
	path, asked := configFile(), false
	if f := flags.Lookup("config"); f != nil && f.Value.String() != "" {
		path, asked = f.Value.String(), true
	} else if v := lookup(p.env, "POSTERN_CONFIG"); v != "" {
		path, asked = v, true
	}
	if err := loadFile(k, path, asked); err != nil {
		return s, err
	}
	byEnv, byFlag := map[string]string{}, map[string]string{}
	for key, flag := range flagOf() {
		byEnv[envOf(key)] = key
		if flag != "" {
			byFlag[flag] = key
		}
	}
	if err := k.Load(envprovider.Provider(".", envprovider.Opt{
		Prefix:      "POSTERN_",
		EnvironFunc: func() []string { return p.env },
		TransformFunc: func(name, value string) (string, any) {
			if value == "" || name == envOf("mail.port") && strings.HasPrefix(value, "tcp://") {
				// Set to nothing is not set, nor is it by Kubernetes, for a
				// service called "postern-mail".
				return "", nil
			}
			return byEnv[name], value
		},
	}), nil); err != nil {
		return s, err
	}
	if err := k.Load(posflag.ProviderWithFlag(flags, ".", k, func(f *pflag.Flag) (string, any) {
		if !f.Changed {
			return "", nil // its default is this file's, not the flag's
		}
		return byFlag[f.Name], posflag.FlagVal(flags, f)
	}), nil); err != nil {
		return s, err
	}
	err := k.UnmarshalWithConf("", &s, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result: &s, ErrorUnused: true, WeaklyTypedInput: true, TagName: "koanf",
	}})
	if err != nil {
		return s, fail("config_value", "File", text.Escape(path), "Detail", text.Escape(oneLine(err))).because(err)
	}
	return s, s.check()
}

// loadFile adds the settings of a file. Only one that was asked for has to be there.
func loadFile(k *koanf.Koanf, path string, asked bool) error {
	own := koanf.New(".")
	err := own.Load(file.Provider(path), tomlparser.Parser())
	switch {
	case errors.Is(err, fs.ErrNotExist) && !asked:
		return nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return fail("config_unreadable", "File", text.Escape(path)).because(err)
	case err != nil:
		// The parser quotes what it cannot read, and that can be a password.
		if at := (interface{ Position() (row, column int) })(nil); errors.As(err, &at) {
			line, _ := at.Position()
			f := fail("config_line", "File", text.Escape(path), "Line", line)
			f.code = "config_value" // to scripts it is one of those
			return f
		}
		return fail("config_value", "File", text.Escape(path), "Detail", text.Escape(oneLine(err))).because(err)
	}
	known := flagOf()
	var unknown, untyped []string
	for _, key := range own.Keys() {
		flag, ok := known[key]
		_, isText := own.Get(key).(string)
		switch {
		case !ok:
			unknown = append(unknown, text.Escape(key))
		case flag == "" && !isText && key != "mail.port":
			untyped = append(untyped, key)
		}
	}
	slices.Sort(unknown)
	slices.Sort(untyped)
	switch {
	case len(unknown) > 0:
		return fail("config_unknown", "File", text.Escape(path), "Keys", strings.Join(unknown, ", "))
	case len(untyped) > 0:
		// Said here, for whoever converts values says them too.
		return fail("config_text", "File", text.Escape(path), "Keys", strings.Join(untyped, ", "))
	}
	return k.Merge(own)
}

// oneLine is an error as one line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// check refuses settings that cannot be meant, and makes paths absolute.
func (s *settings) check() error {
	if s.Data == "" {
		return fail("config_data")
	}
	var err error
	if s.Data, err = filepath.Abs(s.Data); err != nil {
		return err
	}
	for _, path := range []*string{&s.Breached, &s.Mail.CA, &s.SMS.CA} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	if _, err := s.level(); err != nil {
		return fail("config_level", "Level", text.Escape(s.Log.Level))
	}
	if _, err := s.hashParams(); err != nil {
		least, most := password.MinParams(), password.MaxParams()
		return fail("config_hash", "MinMemory", int(least.Memory/1024), "MaxMemory", int(most.Memory/1024),
			"MinTime", int(least.Time), "MaxTime", int(most.Time))
	}
	return nil
}

// hashParams are the costs of a hash, never under what OWASP accepts.
func (s *settings) hashParams() (password.Params, error) {
	p := password.DefaultParams()
	if s.Hash.Memory < 1 || s.Hash.Memory > 1<<20 || s.Hash.Time < 1 || s.Hash.Time > 1<<10 || s.Hash.Slots < 0 {
		return p, password.ErrParams
	}
	p.Memory, p.Time = uint32(s.Hash.Memory)*1024, uint32(s.Hash.Time)
	return p, p.Validate()
}

// lookup returns the last value of a variable.
func lookup(env []string, name string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(env[i], name+"="); ok {
			return v
		}
	}
	return ""
}

// stateDir is where this machine's own memory lives: remembered sessions, and
// the log of the local door.
func stateDir() string { return filepath.Join(xdg.StateHome, "postern") }

// makeStateDir makes the state directory for its owner alone.
func makeStateDir(sub string) (string, error) {
	dir := filepath.Join(stateDir(), sub)
	return dir, os.MkdirAll(dir, 0o700)
}
