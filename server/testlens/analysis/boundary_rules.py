"""Which calls, loops and names cross a boundary, and what the evidence for it is.

Every rule asks for evidence: a library the name was imported from, or a name that hardly anything else bears. A wrong
"network" beside harmless code costs more trust than a missing one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from testlens.analysis.libraries import ALSO_DESERIALISES, MODEL, PICKLED, SQL, Library, library_of, words
from testlens.analysis.names import Names, file_mode
from testlens.domain.outline import MarkerKind

Evidence = tuple[MarkerKind, str]

# --- AWS: one client class for everything, told apart by service and verb --------------------------------------------

_AWS = words("boto3 aioboto3 botocore aiobotocore")
_AWS_STUBS = re.compile(r"(?:mypy_boto3|types_aiobotocore|types_boto3)_(\w+)")
_AWS_SERVICE = re.compile(r"\b(?:client|resource|create_client)\(([\w-]+)\)")
_AWS_DATA_SERVICES = words("dynamodb s3 rds-data timestream-query timestream-write athena glacier ebs efs")
_AWS_LOCAL = words(
    "client resource create_client get_session get_available_regions can_paginate close generate_presigned_url "
    "generate_presigned_post get"
)
_AWS_HANDLES = words(
    "client resource create_client get_session get_paginator batch_writer get_queue_by_name create_queue "
    "create_topic meta objects"
)
_AWS_BATCH = re.compile(r"batch_|\w+_batch\Z|delete_objects\Z")
_AWS_WRITE = re.compile(
    r"(?:put|update|delete|create|upload|copy|transact_write|execute|restore|complete|abort|import|write)(?:_|\Z)"
)
_AWS_READ = re.compile(
    r"(?:get|query|scan|list|head|describe|download|select|transact_get|paginate|load|filter|all)(?:_|\Z)"
)


def _aws_service(origin: str) -> str:
    stub = _AWS_STUBS.match(origin)
    if stub:
        return stub[1].replace("_", "-")
    client = _AWS_SERVICE.search(origin)
    return client[1] if client else ""


def _aws_kind(service: str, method: str) -> MarkerKind | None:
    if method in _AWS_LOCAL or method[:1].isupper():
        return None
    if _AWS_BATCH.match(method):
        return "batch"
    if service and service not in _AWS_DATA_SERVICES:
        return "network"
    if _AWS_WRITE.match(method):
        return "data write"
    if _AWS_READ.match(method):
        return "storage"
    return "network" if service else None


# --- names that are evidence wherever they come from ------------------------------------------------------------------

_NAMES: tuple[tuple[MarkerKind, str], ...] = (
    (
        "data write",
        (
            "put_item update_item delete_item transact_write_items put_object delete_object upload_file "
            "upload_fileobj write_text write_bytes executescript"
        ),
    ),
    (
        "batch",
        (
            "batch_writer batch_write_item batch_get_item send_message_batch delete_message_batch publish_batch "
            "executemany bulk_create bulk_update bulk_write bulk_insert_mappings bulk_save_objects"
        ),
    ),
    ("network", "receive_message change_message_visibility basic_publish sendmail urlopen"),
    ("storage", "read_text read_bytes"),
    ("deserialisation", "from_bytes from_json parse_raw model_validate_json validate_json ParseFromString"),
    ("model", "predict_proba load_state_dict"),
)
_DISTINCTIVE: Mapping[str, MarkerKind] = {name: kind for kind, listed in _NAMES for name in listed.split()}
_BATCH_VERB = re.compile(
    r"_*(?:batch|bulk)_(?:write|get|put|save|load|store|delete|update|upsert|insert|create|execute|send|publish|upload"
    r"|import|index)"
    r"|_*(?:write|put|save|store|delete|update|upsert|insert|create|send|publish|upload)\w*_(?:batch|bulk)(?:_|\Z)"
)
_CHUNKS = re.compile(r"(?:\A|_)(?:chunks?|chunked|ichunked|batched|batches|grouper)(?:_|\Z)")
_SQL_EXECUTE = words("execute executemany executescript exec_driver_sql fetch fetchrow fetchval fetch_all fetch_one")
_SQL_READS = words("SELECT WITH SHOW PRAGMA")
_SQL_BUILDERS = {"select": "SELECT", "insert": "INSERT", "update": "UPDATE", "delete": "DELETE"}
_SESSION_NAMES = re.compile(r"(?:\A|_)(?:session|conn|connection|cursor|transaction)\Z")
_SESSION_WRITES = words("commit add_all flush")
_ORM_WRITES = words("create update delete get_or_create update_or_create update_or_insert")
_ORM_READS = words("get filter all exclude values values_list first count exists aggregate")
_MODEL_NAMES = re.compile(r"(?:\A|_)(?:model|classifier|regressor|estimator|predictor)\Z")
_OPENERS = words("open io.open codecs.open gzip.open bz2.open lzma.open aiofiles.open os.fdopen pathlib.Path().open")
_FILE_WRITES = words("write writelines truncate")
_FILE_READS = words("read readline readlines readinto")

_AUTH_NAME = re.compile(
    r"(?:\A|_)(?:passwords?|passwd|permissions?|authenticate[ds]?|authentication|authori[sz]e[ds]?|authori[sz]ation"
    r"|credentials?|jwt|hmac|csrf|login|logout|access_control)(?:_|\Z)"
    r"|(?:\A|_)(?:verify|validate|check|sign|issue|revoke|refresh|access|bearer|auth|api|session|decode|encode"
    r"|create)_tokens?(?:_|\Z)"
    r"|(?:\A|_)(?:verify|check|validate|make|get|compute)_(?:\w+_)?(?:signature|hmac|mac|otp)(?:_|\Z)"
)
_RETRY_DECORATORS = re.compile(
    r"(?:tenacity\.retry|backoff\.on_\w+|retrying\.retry|retry\.(?:api\.)?retry|stamina\.retry)"
)
_RETRY_OBJECTS = re.compile(
    r"(?:urllib3\.(?:util\.(?:retry\.)?)?Retry|requests\.\w+(?:\.\w+)*\.Retry|tenacity\.(?:Async)?Retrying)\Z"
)
_ATTEMPTS = re.compile(r"(?:\A|_)(?:attempts?|retry|retries|tries)(?:_|\Z)")
_SLEEP = re.compile(r"(?:\A|_)sleep(?:_|\Z)")


def call_evidence(call: ast.Call, names: Names) -> list[Evidence]:
    """What one call does to the outside, with the evidence; empty for a call that stays inside or is unknown."""
    method = called_name(call)
    if is_auth_name(method):
        return [("auth", f"`{method}`")]
    origin = names.origin(call.func)
    if origin is None:
        return _unknown_owner(call, method, names)
    package = origin.partition(".")[0].partition("(")[0]
    if package in _AWS or _AWS_STUBS.match(package):
        return _aws_call(origin, call, method)
    if origin in _OPENERS or "open(" in origin:
        return _file_call(call, origin, method)
    if _RETRY_OBJECTS.match(origin):
        return [("retry", f"{package} `{method}`")]
    library = library_of(origin)
    return _library_call(library, package, origin, call, names) if library else _unknown_owner(call, method, names)


def called_name(call: ast.Call) -> str:
    """The last name of what is called: `b` in `a.b()`; empty where a call or a subscript is called."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


@lru_cache(maxsize=4096)  # the same few names are called all over a project
def is_auth_name(name: str) -> bool:
    """Whether a function's name says that it guards access."""
    return bool(_AUTH_NAME.search(name))


@lru_cache(maxsize=4096)
def _is_batch_verb(name: str) -> bool:
    return bool(_BATCH_VERB.match(name))


def is_sleep(call: ast.Call) -> bool:
    """Whether a call waits: `time.sleep`, `asyncio.sleep`, an injected `self._sleep`."""
    name = called_name(call)
    return "sleep" in name and bool(_SLEEP.search(name))


def counts_attempts(node: ast.expr) -> bool:
    """Whether a loop's target or condition names attempts, which is what tells a retry from a plain loop."""
    return any(isinstance(part, ast.Name) and _ATTEMPTS.search(part.id) for part in ast.walk(node))


def chunk_evidence(iterable: ast.expr) -> str | None:
    """Why a loop over `iterable` goes through data in chunks: `range(0, len(x), n)`, `chunked(...)`; or None."""
    if not isinstance(iterable, ast.Call):
        return None
    name = called_name(iterable)
    if _CHUNKS.search(name):
        return f"loop over `{name}`"
    if name == "range" and len(iterable.args) == 3:
        _, stop, step = iterable.args
        if _is_length(stop) and not _is_stride(step):
            return "loop in steps over `len(...)`"
    return None


def retry_decorator(decorator: ast.expr, names: Names) -> str | None:
    """The retrying library's decorator that `decorator` is, or None."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    origin = names.origin(called)
    return f"decorator `{origin}`" if origin and _RETRY_DECORATORS.match(origin) else None


def _is_length(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Call) and called_name(part) == "len" for part in ast.walk(node))


def _is_stride(step: ast.expr) -> bool:
    # Steps of 2 or 3 go through pairs and triples (hex digits, coordinates), not through batches.
    return isinstance(step, ast.UnaryOp) or (isinstance(step, ast.Constant) and step.value in (1, 2, 3))


def _aws_call(origin: str, call: ast.Call, method: str) -> list[Evidence]:
    if origin.endswith("config.Config") and any(keyword.arg == "retries" for keyword in call.keywords):
        return [("retry", "botocore `Config(retries=...)`")]
    if not _on_handle(origin, _AWS_HANDLES):
        return []
    service = _aws_service(origin)
    kind = _aws_kind(service, method)
    return [(kind, f"boto3 {service} `{method}`" if service else f"boto3 `{method}`")] if kind else []


def _file_call(call: ast.Call, origin: str, method: str) -> list[Evidence]:
    if origin in _OPENERS:
        mode = file_mode(call, 0 if origin.startswith("pathlib.") else 1)
        return [_opened(mode)]
    mode = origin.rpartition("open(")[2].partition(")")[0]
    if method in _FILE_WRITES and set("wax+") & set(mode):
        return [("data write", f"`{method}` to a file")]
    return [("storage", f"`{method}` from a file")] if method in _FILE_READS else []


def _opened(mode: str) -> Evidence:
    return ("data write", "`open` for writing") if set("wax+") & set(mode) else ("storage", "`open` for reading")


def _library_call(library: Library, package: str, origin: str, call: ast.Call, names: Names) -> list[Evidence]:
    if origin.endswith(")"):  # an object is called: `model = torch.load(path); model(x)`
        runs = library in (MODEL, PICKLED) and _on_handle(f"{origin}.forward", library.handles)
        return [("model", f"{package} model called")] if runs else []
    if not _on_handle(origin, library.handles):
        return []
    method = origin.rpartition(".")[2]
    if library is SQL and method in _SQL_EXECUTE:
        return [_sql_call(package, call, method, names)]
    found: list[Evidence] = []
    if method in library.methods:
        found.append((library.methods[method], f"{package} `{method}`"))
    if ALSO_DESERIALISES.match(origin):
        found.append(("deserialisation", f"{package} `{method}`"))
    return found


def _on_handle(origin: str, handles: frozenset[str]) -> bool:
    """Whether everything on the way to the last name gives a client, connection or the like rather than plain data."""
    within_package = True
    for segment in origin.split(".")[:-1]:
        name, called, _ = segment.partition("(")
        within_package = within_package and not called
        if not within_package and name not in handles and not name[:1].isupper():
            return False
    return True


def _sql_call(package: str, call: ast.Call, method: str, names: Names) -> Evidence:
    if method == "executemany":
        return "batch", f"{package} `{method}`"
    verb = _sql_verb(call, names)
    if verb is None:
        return "storage", f"{package} `{method}`"
    return ("storage" if verb in _SQL_READS else "data write"), f"SQL {verb}"


def _sql_verb(call: ast.Call, names: Names) -> str | None:
    if not call.args:
        return None
    statement = call.args[0]
    while isinstance(statement, ast.Call) and called_name(statement) == "text" and statement.args:
        statement = statement.args[0]
    origin = names.origin(statement) or ""
    if origin.startswith("sql."):
        return origin[4:].partition(".")[0].partition("(")[0]
    builders = (segment.partition("(")[0] for segment in origin.split("."))
    return next((_SQL_BUILDERS[name] for name in builders if name in _SQL_BUILDERS), None)


def _unknown_owner(call: ast.Call, method: str, names: Names) -> list[Evidence]:
    """Evidence in the name alone, for clients that are handed in without a type."""
    function = call.func
    if isinstance(function, ast.Attribute):
        if isinstance(function.value, ast.Name) and function.value.id in ("self", "cls"):
            return []  # the class's own method, which is looked at where it is defined
        if method in _DISTINCTIVE:
            return [(_DISTINCTIVE[method], f"`{method}`")]
        for rule in _OWNER_RULES:
            found = rule(call, function, names)
            if found is not None:
                return [found]
    return [("batch", f"`{method}`")] if _is_batch_verb(method) else []


def _owner_name(function: ast.Attribute) -> str:
    owner = function.value
    if isinstance(owner, ast.Attribute):
        return owner.attr
    return owner.id if isinstance(owner, ast.Name) else ""


def _literal_sql(call: ast.Call, function: ast.Attribute, names: Names) -> Evidence | None:
    if function.attr not in _SQL_EXECUTE:
        return None
    verb = _sql_verb(call, names)
    return ("storage" if verb in _SQL_READS else "data write", f"SQL {verb}") if verb else None


def _session_write(call: ast.Call, function: ast.Attribute, names: Names) -> Evidence | None:
    owner = _owner_name(function)
    if not _SESSION_NAMES.search(owner):
        return None
    adds = function.attr in ("add", "delete") and owner.endswith("session") and len(call.args) == 1
    return ("data write", f"`{owner}.{function.attr}`") if adds or function.attr in _SESSION_WRITES else None


def _orm_manager(call: ast.Call, function: ast.Attribute, names: Names) -> Evidence | None:
    if _owner_name(function) != "objects":
        return None
    if function.attr in _ORM_WRITES:
        return "data write", f"`objects.{function.attr}`"
    return ("storage", f"`objects.{function.attr}`") if function.attr in _ORM_READS else None


def _model_call(call: ast.Call, function: ast.Attribute, names: Names) -> Evidence | None:
    named = function.attr in ("predict", "forward") and _MODEL_NAMES.search(_owner_name(function))
    return ("model", f"`{_owner_name(function)}.{function.attr}`") if named else None


def _opened_path(call: ast.Call, function: ast.Attribute, names: Names) -> Evidence | None:
    mode = file_mode(call, 0) if function.attr == "open" else ""
    return _opened(mode) if mode else None


_OWNER_RULES: tuple[Callable[[ast.Call, ast.Attribute, Names], Evidence | None], ...] = (
    _literal_sql, _session_write, _orm_manager, _model_call, _opened_path,
)  # fmt: skip
