"""Makes secrets.json of gitleaks' own configuration (MIT, see secrets.LICENSE).

    go mod download -json github.com/zricethezav/gitleaks/v8@v8.30.1   # gives Dir
    python3 gen/gitleaks.py DIR v8.30.1

Needs Python 3.11 (tomllib). What is left out: rules that are bound to a file's
path, since content has none, and allowlists of paths.
"""

import hashlib
import json
import pathlib
import sys
import tomllib

folder, version = pathlib.Path(sys.argv[1]), sys.argv[2]
raw = (folder / "config" / "gitleaks.toml").read_bytes()
config = tomllib.loads(raw.decode())


def allow(a):
    """One allowlist, without paths; None when nothing is left of it."""
    if "paths" in a and a.get("condition") == "AND":
        return None
    out = {k: a[k] for k in ("regexes", "stopwords") if a.get(k)}
    if out and a.get("regexTarget"):
        out["target"] = a["regexTarget"]
    return out or None


rules, left_out = [], []
for r in config["rules"]:
    if "path" in r or not r.get("keywords"):
        left_out.append(r["id"])
        continue
    out = {"id": r["id"], "regex": r["regex"], "keywords": sorted({k.lower() for k in r["keywords"]})}
    for key, name in (("secretGroup", "group"), ("entropy", "entropy")):
        if r.get(key):
            out[name] = r[key]
    lists = [x for x in map(allow, r.get("allowlists", [])) if x]
    if lists:
        out["allow"] = lists
    rules.append(out)

out = {
    "source": "github.com/zricethezav/gitleaks/v8",
    "version": version,
    "licence": "MIT",
    "sha256": hashlib.sha256(raw).hexdigest(),
    "left_out": left_out,
    "allow": allow(config["allowlist"]),
    "rules": rules,
}
here = pathlib.Path(__file__).parent.parent
(here / "secrets.json").write_text(json.dumps(out, indent=1, ensure_ascii=False) + "\n")
(here / "secrets.LICENSE").write_bytes((folder / "LICENSE").read_bytes())
print(len(rules), "rules; left out:", ", ".join(left_out))
