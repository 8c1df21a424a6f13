package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"reeve/client"
)

func peerCommands() []command {
	return []command{
		{name: "upstream card", args: "[flags] NAME", short: "show the card of a peer, and whether people accepted it", long: cardHelp, run: runUpstreamCard},
	}
}

// peerFlags are those of an upstream of kind a2a.
type peerFlags struct {
	agent, effect, cardPath, binding, cardKeys string
	origins, pushHosts                         texts
}

func (p *peerFlags) bind(fs *flag.FlagSet) {
	fs.StringVar(&p.agent, "peer-agent", "", "of a peer: the registered agent that answers there")
	fs.StringVar(&p.effect, "effect", "", "of a peer: what a message to it may do: read, write or destructive, the default")
	fs.StringVar(&p.cardPath, "card-path", "", "of a peer: where its card is, if not at /.well-known/agent-card.json")
	fs.StringVar(&p.binding, "binding", "", "of a peer: JSONRPC, HTTP+JSON or GRPC, instead of the card's first that fits")
	fs.StringVar(&p.cardKeys, "card-keys", "", "of a peer: a file with a JWK set, one of whose keys must have signed its card")
	fs.Var(&p.origins, "origin", "of a peer: a further place of its interfaces, as https://host:port; several")
	fs.Var(&p.pushHosts, "push-host", "of a peer: a host to which it may be told to send updates; several, .example.com for all below; none: any public one")
}

// merged is what is there with the flags that were given.
func (p *peerFlags) merged(old *client.Peer, given map[string]bool) (*client.Peer, error) {
	out, some := client.Peer{}, old != nil
	if some {
		out = *old
	}
	for name, set := range map[string]func(){
		"peer-agent": func() { out.Agent = p.agent }, "effect": func() { out.Effect = p.effect }, "card-path": func() { out.CardPath = p.cardPath },
		"binding": func() { out.Binding = p.binding }, "origin": func() { out.Origins = p.origins }, "push-host": func() { out.PushHosts = p.pushHosts },
	} {
		if given[name] {
			set()
			some = true
		}
	}
	if given["card-keys"] {
		some, out.CardKeys = true, ""
		if p.cardKeys != "" {
			text, err := os.ReadFile(p.cardKeys)
			if err != nil {
				return nil, fmt.Errorf("reading the keys of the card: %w", err)
			}
			out.CardKeys = string(text)
		}
	}
	if !some {
		return nil, nil
	}
	return &out, nil
}

const cardHelp = `
A peer says by its card who it is, what it can do and how it is spoken to. A
card that is new or has changed waits for a person, who accepts it as they
accept a tool, under the name that is shown here:

  reeve upstream card refunds
  reeve tool diff refunds refunds-card
  reeve tool accept refunds refunds-card --effect write --reason "looked at"`

func runUpstreamCard(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "upstream")
	if err != nil {
		return err
	}
	card, err := r.client().GetPeerCard(ctx, client.UpstreamRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, card, func(w io.Writer) {
		fmt.Fprintf(w, "upstream\t%s\nname\t%s %s\nsays\t%s\nstate\t%s (%s)\nsignature\t%s\nagents find it at\t%s\n",
			card.Upstream, word(card.Name), word(card.Version), word(card.Description), card.State, card.Definition, card.Signature, card.Door)
		for _, i := range card.Interfaces {
			use := "can be used"
			if i.Refused != "" {
				use = "not used: " + i.Refused
			}
			fmt.Fprintf(w, "interface\t%s %s at %s, %s\n", word(i.Binding), word(i.Version), word(i.URL), use)
		}
		if card.Error != "" {
			fmt.Fprintf(w, "last try\t%s\n", word(card.Error))
		}
	})
}
