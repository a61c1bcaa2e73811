"""The libraries whose calls cross a boundary, as data: by package, what their methods do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from testlens.domain.outline import MarkerKind


@dataclass(frozen=True, slots=True)
class Library:
    """What the methods of one library do.

    `handles` are the lower-case calls and attributes that give an object with such methods; capitalised ones, being
    classes, always do. What anything else gives is plain data: `session.headers.get` asks no network.
    """

    methods: Mapping[str, MarkerKind]
    handles: frozenset[str] = field(default_factory=frozenset)


_KINDS: Mapping[str, MarkerKind] = {
    "write": "data write",
    "read": "storage",
    "batch": "batch",
    "network": "network",
    "auth": "auth",
    "parse": "deserialisation",
    "model": "model",
}


def words(text: str) -> frozenset[str]:
    """The words of a space-separated text: long lists of names read best without quotes."""
    return frozenset(text.split())


def library(handles: str = "", **names: str) -> Library:
    """A library from space-separated names, under the short words of `_KINDS`."""
    methods = {method: _KINDS[kind] for kind, listed in names.items() for method in listed.split()}
    return Library(methods, words(handles))


_HTTP = library(
    handles="session build_opener",
    network="get post put patch delete head options request send stream urlopen urlretrieve ws_connect connect "
    "getresponse open",
    parse="json",
)
_SOCKET = library(
    handles="socket create_connection create_server accept wrap_socket",
    network="connect connect_ex create_connection create_server bind listen accept send sendall sendto recv recv_into "
    "recvfrom",
)
_MESSAGING = library(
    handles="connect create_client channel get_channel",
    network="connect send sendmail send_message send_and_wait publish basic_publish basic_consume basic_get consume "
    "poll produce flush login delay apply_async send_task",
)
SQL = library(
    handles="connect cursor begin session connection acquire sessionmaker async_sessionmaker scoped_session "
    "create_engine create_async_engine create_pool transaction query",
    write="commit add add_all merge delete flush executescript",
    read="connect execute fetch fetchrow fetchval query get scalar scalars read_sql",
    batch="executemany bulk_save_objects bulk_insert_mappings bulk_update_mappings copy_records_to_table",
)
_MONGO = library(
    write="insert_one update_one replace_one delete_one find_one_and_update find_one_and_delete find_one_and_replace",
    read="find find_one aggregate count_documents distinct",
    batch="insert_many update_many delete_many bulk_write",
)
_REDIS = library(
    handles="from_url pipeline",
    write="set setex setnx mset hset hmset delete expire incr incrby decr lpush rpush lpop rpop sadd srem zadd zrem "
    "xadd",
    read="get mget hget hgetall hmget lrange smembers zrange exists scan keys xread",
    batch="execute",
    network="publish subscribe",
)
_OS = library(
    write="remove unlink rename renames replace rmdir removedirs mkdir makedirs truncate symlink link ftruncate",
)
_SHUTIL = library(write="copy copy2 copyfile copyfileobj copytree move rmtree unpack_archive make_archive")
_PATHLIB = library(
    handles="parent joinpath with_name with_stem with_suffix resolve absolute expanduser cwd home",
    write="write_text write_bytes unlink rename replace rmdir mkdir touch symlink_to hardlink_to",
    read="read_text read_bytes",
)
_CRYPTO = library(
    handles="new using from_string",
    auth="new compare_digest sign unsign verify verify_and_update hash hashpw checkpw encode decode encrypt decrypt "
    "dumps loads derive digest login_user authenticate",
)
_PARSER = library(
    parse="load loads load_all safe_load safe_load_all full_load unsafe_load load_dotenv unpack unpackb unpack_from "
    "iter_unpack fromstring parse iterparse XML reader DictReader Unpickler open_dataset read_csv read_json "
    "read_parquet read_pickle",
    write="dump dump_all safe_dump to_csv to_parquet to_pickle",
)
MODEL = library(
    handles="load load_model from_pretrained hub pipeline from_file create jit eval to cuda half compile script",
    model="load load_model load_state_dict from_pretrained from_file predict predict_proba predict_on_batch forward "
    "generate transform run InferenceSession pipeline",
    write="save save_model save_pretrained",
)
PICKLED = Library({**MODEL.methods, **_PARSER.methods}, MODEL.handles)

_PACKAGES = (
    ("requests httpx aiohttp urllib urllib3 http.client websockets websocket", _HTTP),
    ("socket ssl asyncssh paramiko telnetlib", _SOCKET),
    ("smtplib imaplib ftplib pika aio_pika kafka aiokafka confluent_kafka nats celery stomp", _MESSAGING),
    (
        (
            "sqlite3 aiosqlite psycopg psycopg2 asyncpg pymysql aiomysql MySQLdb mysql oracledb duckdb sqlalchemy "
            "sqlmodel flask_sqlalchemy pyodbc databases"
        ),
        SQL,
    ),
    ("pymongo motor", _MONGO),
    ("redis aioredis valkey", _REDIS),
    ("os", _OS),
    ("shutil", _SHUTIL),
    ("pathlib", _PATHLIB),
    (
        (
            "hmac jwt jose passlib bcrypt argon2 itsdangerous cryptography nacl ecdsa rsa Crypto Cryptodome authlib "
            "flask_login"
        ),
        _CRYPTO,
    ),
    (
        (
            "json orjson ujson simplejson rapidjson yaml ruamel toml tomllib tomli marshal shelve msgpack struct csv "
            "plistlib xml defusedxml lxml pandas polars"
        ),
        _PARSER,
    ),
    ("pickle cPickle dill cloudpickle", PICKLED),
    ("torch sklearn onnxruntime onnx tensorflow keras transformers xgboost lightgbm catboost skops joblib", MODEL),
)
_LIBRARIES: Mapping[str, Library] = {package: made for packages, made in _PACKAGES for package in packages.split()}

# Reading a model from a file also runs what is in the file.
ALSO_DESERIALISES = re.compile(
    r"(?:torch(?:\.jit)?|skops\.io|keras\.models|tensorflow\.keras\.models|joblib)\.load(?:_model)?\Z"
)


def library_of(origin: str) -> Library | None:
    """The library that an origin starts in: by its first name, or by the first two (`http.client`)."""
    names = origin.split(".", 2)
    return _LIBRARIES.get(names[0]) or _LIBRARIES.get(".".join(names[:2]))
