package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"

	"github.com/bankctl/bankctl/internal/private"
	"github.com/bankctl/bankctl/internal/socket"
)

// Load reads the settings: flag before environment before file before default.
// flags are those of RegisterFlags, parsed; nil is none.
func Load(flags *pflag.FlagSet, getenv func(string) string) (Config, error) {
	l := loader{v: viper.New(), flags: flags, getenv: getenv, from: map[string]string{}}
	if err := l.read(); err != nil {
		return Config{}, fmt.Errorf("load config: %w", err)
	}
	c, err := l.build()
	if err != nil {
		return Config{}, fmt.Errorf("load config: %w", err)
	}
	return c, nil
}

// loader collects the settings and the source of each.
type loader struct {
	v      *viper.Viper
	flags  *pflag.FlagSet
	getenv func(string) string
	file   string
	from   map[string]string
}

func (l *loader) read() error {
	if err := l.readFile(); err != nil {
		return err
	}
	for _, k := range keys() {
		l.v.SetDefault(k.name, k.def)
		if l.v.InConfig(k.name) {
			l.from[k.name] = "in " + l.file
		}
		if value := l.getenv(k.variable()); value != "" {
			l.v.Set(k.name, value)
			l.from[k.name] = "from " + k.variable()
		}
		if f := l.flag(k); f != nil {
			l.v.Set(k.name, f.Value.String())
			l.from[k.name] = "from --" + k.flag()
		}
	}
	for name, def := range listKeys() {
		l.v.SetDefault(name, def)
		l.from[name] = "in " + l.file
	}
	return nil
}

// flag returns a key's flag if it was given.
func (l *loader) flag(k key) *pflag.Flag {
	if l.flags == nil {
		return nil
	}
	if f := l.flags.Lookup(k.flag()); f != nil && f.Changed {
		return f
	}
	return nil
}

// readFile reads the configuration file. A file that was asked for must exist; the one at the usual path need not.
func (l *loader) readFile() error {
	path, asked := l.filePath()
	if path == "" {
		return nil
	}
	text, err := readSettings(path)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return private.Path(path) // others must not be able to put one there
	}
	if err != nil {
		return err
	}
	l.file = path
	if err := checkFile(text); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	l.v.SetConfigType("yaml")
	if err := l.v.ReadConfig(bytes.NewReader(text)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func readSettings(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := private.Settings(f, path); err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}

func (l *loader) filePath() (path string, asked bool) {
	k := keys()[slices.IndexFunc(keys(), func(k key) bool { return k.name == keyConfig })]
	if f := l.flag(k); f != nil {
		return f.Value.String(), true
	}
	if path := l.getenv(k.variable()); path != "" {
		return path, true
	}
	if dir := l.configDir(); dir != "" {
		return filepath.Join(dir, "config.yaml"), false
	}
	return "", false
}

// configDir returns where the operator's files lie, "" if there is no home.
func (l *loader) configDir() string {
	if dir := socket.FirstDir(l.getenv("CONFIGURATION_DIRECTORY")); dir != "" {
		return dir
	}
	if dir := socket.XDGDir(l.getenv, "XDG_CONFIG_HOME", ".config"); dir != "" {
		return filepath.Join(dir, "bankd")
	}
	return ""
}

// checkFile checks every key of the file, with its line, and the form of every value. Viper accepts unknown keys and
// wrong forms.
func checkFile(text []byte) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return err
	}
	if len(doc.Content) == 0 {
		return nil // empty, or comments alone
	}
	return checkMapping(doc.Content[0], "")
}

func checkMapping(node *yaml.Node, prefix string) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: keys and values wanted", node.Line)
	}
	for i := 0; i < len(node.Content); i += 2 {
		name, value := prefix+node.Content[i].Value, node.Content[i+1]
		if err := checkEntry(name, value); err != nil {
			return fmt.Errorf("line %d: %w", node.Content[i].Line, err)
		}
	}
	return nil
}

func checkEntry(name string, value *yaml.Node) error {
	_, isList := listKeys()[name]
	switch {
	case name == "link_products":
		return checkMapping(value, name+".")
	case isList:
		return checkList(name, value)
	case name == keyConfig:
		return fmt.Errorf("%s cannot be set in the file itself: use --config", name)
	case !slices.ContainsFunc(keys(), func(k key) bool { return k.name == name }):
		return unknownKey(name)
	case value.Kind != yaml.ScalarNode || value.Tag == "!!null":
		return fmt.Errorf("%s wants a single value", name)
	}
	return nil
}

func checkList(name string, value *yaml.Node) error {
	if value.Kind != yaml.SequenceNode {
		return fmt.Errorf("%s wants a list", name)
	}
	for _, item := range value.Content {
		if item.Kind != yaml.ScalarNode || item.Tag != "!!str" {
			return fmt.Errorf("%s wants a list of names", name)
		}
	}
	return nil
}
