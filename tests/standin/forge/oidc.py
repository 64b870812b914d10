"""ID tokens of jobs: discovery, key sets, and the address that gives one for a request token.

What is signed and what is published are two things here, so that a test can forge what it likes: forge-standin.md.
"""
import time

from forge import jose
from forge.oidc_keys import EC
from forge.web import Answer

PUBLISHED = ["one", "two", "four"]

# Below the forge's own address: the issuer, and where its keys are.
PLACES = {"forgejo": ("/api/actions", "/api/actions/.well-known/keys"),
          "github": ("/_services/token", "/_services/token/.well-known/jwks"),
          "gitlab": ("", "/oauth/discovery/keys")}


def actions_claims(job):
    owner = job["repository"].partition("/")[0]
    ref = job.get("ref", "refs/heads/main")
    run = str(job.get("run", 42))
    return {"repository": job["repository"], "repository_owner": owner, "event_name": job.get("event", "push"), "ref": ref,
            "ref_type": "tag" if ref.startswith("refs/tags/") else "branch", "ref_protected": "false", "head_ref": "",
            "base_ref": "", "sha": job.get("sha", "6" * 40), "run_id": run, "run_number": str(job.get("index", 7)),
            "run_attempt": "1", "actor": job.get("actor", "alice"), "workflow": job.get("workflow", "release.yml"),
            "workflow_ref": f"{job['repository']}/.github/workflows/{job.get('workflow', 'release.yml')}@{ref}",
            "sub": f"repo:{job['repository']}:ref:{ref}"}


def gitlab_claims(job):
    ref, tag = job.get("ref", "main"), bool(job.get("tag"))
    path = job["repository"]
    claims = {"project_path": path, "namespace_path": path.rpartition("/")[0], "project_id": "1", "user_id": "7",
              "user_login": job.get("actor", "alice"), "pipeline_id": str(job.get("run", 42)),
              "pipeline_source": job.get("event", "push"), "job_id": str(job.get("run", 42) * 10), "ref": ref,
              "ref_type": "tag" if tag else "branch", "ref_path": f"refs/{'tags' if tag else 'heads'}/{ref}",
              "ref_protected": "false", "sha": "6" * 40, "sub": f"project_path:{path}:ref_type:branch:ref:{ref}"}
    if "runs_in" in job:
        claims["job_project_path"] = job["runs_in"]
    return claims


# github.com's has a host of its own, and the same paths without what stands before them.
PUBLIC_GITHUB = "https://token.actions.githubusercontent.com"


class Issuer:
    def __init__(self, kind, origin):
        self.kind = kind
        self.name = origin + PLACES[kind][0]
        self.keys = origin + PLACES[kind][1]
        if kind == "github" and origin == "https://github.com":
            self.name, self.keys = PUBLIC_GITHUB, PUBLIC_GITHUB + "/.well-known/jwks"

    def mint(self, wanted):
        """The JWT that a test asks for: see forge-standin.md for the members of @wanted."""
        now = int(time.time())
        times = {"iat": now, "nbf": now - 5, "exp": now + 300}
        claims = (gitlab_claims if self.kind == "gitlab" else actions_claims)(wanted["job"]) if "job" in wanted else {}
        claims = {"iss": self.name, "aud": wanted.get("audience", "forge-broker"), "jti": "1", **times, **claims}
        claims.update({name: now + shift for name, shift in wanted.get("shift", {}).items()})
        claims.update(wanted.get("claims", {}))
        key = wanted.get("key", "one")
        algorithm = wanted.get("algorithm", "ES256" if key in EC else "RS256")
        header = {"alg": algorithm, "typ": "JWT", "kid": key, **wanted.get("header", {})}
        payload = {name: value for name, value in claims.items() if value is not None}
        return jose.encode({name: value for name, value in header.items() if value is not None},
                           wanted.get("payload", payload), key, algorithm)


def discovery(forge, request):
    issuer = forge.state.issuer
    return Answer(200, {"issuer": issuer.name, "jwks_uri": issuer.keys, "subject_types_supported": ["public"],
                        "response_types_supported": ["id_token"], "id_token_signing_alg_values_supported": ["RS256"],
                        **forge.state.data["oidc"].get("discovery", {})})


def keys(forge, request):
    oidc = forge.state.data["oidc"]
    return Answer(200, {"keys": [jose.jwk(name) for name in oidc.get("published", PUBLISHED)] + oidc.get("more_keys", []),
                        **oidc.get("key_set", {})})


def id_token(forge, request, run):
    """For the request token of a job that runs, with the audience that is asked for."""
    wanted = forge.state.data["oidc"].get("requests", {}).get(request.bearer("bearer"))
    if wanted is None:
        return Answer(401, {"message": "Unauthorized"})
    return Answer(200, {"count": 1, "value": forge.state.issuer.mint({"audience": request.query.get("audience"), **wanted})})


def routes(kind):
    issuer, key_set = PLACES[kind]
    public = [("GET", r"/\.well-known/openid-configuration", discovery), ("GET", r"/\.well-known/jwks", keys)]
    return [("GET", issuer + r"/\.well-known/openid-configuration", discovery),
            ("GET", key_set.replace(".", r"\."), keys), *(public if kind == "github" else []),
            ("GET", r"/api/actions/_apis/pipelines/workflows/(\d+)/idtoken", id_token)]
