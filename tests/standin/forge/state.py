"""What the control socket reads and writes and the forges answer from."""
import copy
import fnmatch
import threading

EMPTY = {"users": {}, "organizations": {}, "tokens": {}, "repositories": {}, "packages": {}, "settings": {}, "oidc": {},
         "fault": {}}
NONE, READ, WRITE, ADMIN = range(4)
RIGHTS = {"none": NONE, "read": READ, "write": WRITE, "admin": ADMIN}
UNITS = ("code", "issues", "pulls", "releases")


class State:
    def __init__(self, initial):
        self.lock = threading.Lock()
        self.in_flight = 0      # requests that are being answered
        self.initial = {**copy.deepcopy(EMPTY), **initial}
        self.reset()

    def reset(self):
        self.data = copy.deepcopy(self.initial)
        self.requests = []
        self.uploads = {}       # open upload sessions: id -> "owner/image"
        self.blobs = []         # what a registry stored: "owner/image@digest"
        self.bearers = {}       # what registries gave out: bearer -> (token's value, image, actions)
        self.refused = 0
        self.last_id = 100

    def next_id(self):
        self.last_id += 1
        return self.last_id

    def setting(self, name, default=None):
        return self.data["settings"].get(name, default)

    def token(self, value):
        return self.data["tokens"].get(value) if value else None

    def user(self, login):
        users = list(self.data["users"])
        number = 7 + users.index(login) if login in users else 7
        return {"id": number, **self.data["users"].get(login, {}), "login": login}

    def repository(self, full_name):
        """(its name as it is written, itself), or (None, None); names are compared without case."""
        for name, repository in self.data["repositories"].items():
            if name.lower() == full_name.lower():
                return name, repository
        return None, None

    def is_organization(self, owner):
        return owner in self.data["organizations"]

    def owner_exists(self, owner):
        return (self.is_organization(owner) or owner in self.data["users"]
                or any(name.partition("/")[0] == owner for name in self.data["repositories"]))

    def right(self, full_name, repository, login, unit="code"):
        """What a person may do with a unit of a repository; public ones are read by all."""
        if unit not in repository.get("units", UNITS):
            return NONE
        if login and (login == full_name.partition("/")[0] or self.data["users"].get(login, {}).get("admin")):
            return ADMIN
        given = repository.get("access", {}).get(login, "none")
        if isinstance(given, dict):
            given = given.get(unit, "none")
        return max(RIGHTS[given], NONE if repository.get("private") else READ)

    def left(self):
        """Everything that a probe could have left, by repository; uploads and blobs for all of them."""
        kinds = ("releases", "new_branches", "new_tags", "new_issues", "new_labels", "new_pulls")
        found = {name: {kind: repository[kind] for kind in kinds if repository.get(kind)}
                 for name, repository in self.data["repositories"].items()}
        return {"repositories": {name: kinds for name, kinds in found.items() if kinds},
                "uploads": sorted(self.uploads.values()), "blobs": self.blobs}


def branches_of(repository):
    return [] if repository.get("empty") else repository.get("branches", [repository.get("default_branch", "main")])


def matching(table, name):
    """The entry of a table of patterns that a branch or tag falls under: (pattern, entry) or (None, None)."""
    for pattern, entry in (table or {}).items():
        if fnmatch.fnmatchcase(name, pattern):
            return pattern, entry
    return None, None
