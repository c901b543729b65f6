"""What a component has not, with what to do instead.

The standard library is that of the Python that components have, 3.14 for WASI, whatever Python
reads this.
"""

from __future__ import annotations

#: Modules at its top level that can be imported.
_STDLIB = """
__future__ _abc _ast _asyncio _bisect _blake2 _codecs _collections _collections_abc
_compat_pickle _contextvars _csv _datetime _decimal _elementtree _functools _heapq _hmac _imp
_io _json _locale _lsprof _markupbase _md5 _opcode _operator _pickle _py_abc _pydatetime
_pydecimal _pyio _pylong _queue _random _sha1 _sha2 _sha3 _signal _socket _sqlite3 _sre _stat
_statistics _string _strptime _struct _symtable _sysconfig _thread _threading_local _tokenize
_tracemalloc _types _typing _warnings _weakref _weakrefset _zoneinfo abc annotationlib argparse
array ast asyncio atexit base64 bdb binascii bisect builtins cProfile calendar cmath cmd code
codecs codeop collections colorsys compileall compression concurrent configparser contextlib
contextvars copy copyreg csv dataclasses datetime dbm decimal difflib dis doctest email
encodings enum errno faulthandler filecmp fileinput fnmatch fractions ftplib functools gc
genericpath getopt getpass gettext glob graphlib gzip hashlib heapq hmac html http imaplib
importlib inspect io ipaddress itertools json keyword linecache locale logging mailbox marshal
math mimetypes modulefinder multiprocessing netrc ntpath nturl2path numbers opcode operator
optparse os pathlib pdb pickle pickletools pkgutil platform plistlib poplib posix posixpath
pprint profile pstats py_compile pyclbr pydoc pyexpat queue quopri random re reprlib rlcompleter
runpy sched secrets select selectors shelve shlex shutil signal site smtplib socket socketserver
sqlite3 sre_compile sre_constants sre_parse stat statistics string stringprep struct subprocess
symtable sys sysconfig tabnanny tarfile tempfile textwrap threading time timeit token tokenize
tomllib trace traceback tracemalloc types typing unicodedata unittest urllib uuid warnings wave
weakref webbrowser wsgiref xml xmlrpc zipapp zipfile zipimport zlib zoneinfo
"""
STDLIB = frozenset(_STDLIB.split())

_NO_SCREEN = "a component has no screen and no terminal; return what is to be shown"
_NO_SYSTEM = "it asks the operating system, which a component does not see"
_REMOVED = "the Python of components, 3.14, does not have it any more"

#: Modules of the standard library that a component has not, or only as a name.
ABSENT = {
    **dict.fromkeys(("tkinter", "turtle", "curses", "readline", "tty", "pty"), _NO_SCREEN),
    **dict.fromkeys(("termios", "idlelib", "turtledemo"), _NO_SCREEN),
    **dict.fromkeys(("fcntl", "grp", "pwd", "resource", "syslog", "msvcrt"), _NO_SYSTEM),
    **dict.fromkeys(("winreg", "winsound", "ensurepip", "venv", "_winapi"), _NO_SYSTEM),
    **dict.fromkeys(
        ("ctypes", "_ctypes"),
        "a component loads no libraries of the system; write what calls them in C or Rust "
        "(`tarp new NAME --lang c`)",
    ),
    **dict.fromkeys(("bz2", "lzma", "_bz2", "_lzma"), "use zlib, gzip or zipfile"),
    "compression.bz2": "use zlib, gzip or zipfile",
    "compression.lzma": "use zlib, gzip or zipfile",
    "compression.zstd": "use zlib, gzip or zipfile",
    "ssl": "the host speaks TLS for a component: use urllib.request",
    "mmap": "read the file; a component has at most 4 GiB of memory",
    "multiprocessing.shared_memory": "a component is one process; use bytearray",
    "concurrent.interpreters": "a component is one thread",
    **dict.fromkeys(("distutils", "imp", "asyncore", "asynchat", "smtpd", "cgi"), _REMOVED),
    **dict.fromkeys(("cgitb", "telnetlib", "crypt", "imghdr", "sndhdr", "pipes"), _REMOVED),
    **dict.fromkeys(("audioop", "aifc", "chunk", "nntplib", "uu", "xdrlib"), _REMOVED),
}

_NUMBERS = (
    "lists, `math` and `statistics` do for small computations, and large ones can be written in "
    "Rust or C (`tarp new NAME --lang rust`)"
)
_CHECKS = "use @dataclass, and check values in `__post_init__`"
_PICTURES = "return the numbers, or SVG as text, and draw them where they are wanted"
_TABLES = f"use lists, dictionaries or dataclasses with `csv`; {_NUMBERS}"
_JSON = "use `json`"

#: Packages with compiled parts that they cannot do without, by the name of the import.
COMPILED = {
    **dict.fromkeys(("numpy", "scipy", "jax", "numba", "cupy", "numexpr"), _NUMBERS),
    **dict.fromkeys(("sklearn", "skimage", "statsmodels", "torch", "tensorflow"), _NUMBERS),
    **dict.fromkeys(("keras", "xgboost", "lightgbm", "cvxpy", "astropy", "lmfit"), _NUMBERS),
    **dict.fromkeys(("pandas", "polars", "pyarrow", "xarray", "dask", "geopandas"), _TABLES),
    **dict.fromkeys(("matplotlib", "seaborn", "PIL", "cv2", "pymupdf"), _PICTURES),
    **dict.fromkeys(("pydantic", "pydantic_core", "msgspec"), _CHECKS),
    **dict.fromkeys(("orjson", "ujson", "rapidjson"), _JSON),
    "lxml": "use `xml.etree.ElementTree`",
    "h5py": "use JSON, CSV or `sqlite3`, or bytes that the caller has read",
    "netCDF4": "use JSON, CSV or `sqlite3`, or bytes that the caller has read",
    "cryptography": "use `hashlib`, `hmac` and `secrets`",
    "psycopg2": "a component opens no sockets; ask a server that speaks HTTP by urllib.request",
    "zmq": "a component opens no sockets; ask a server that speaks HTTP by urllib.request",
    "grpc": "a component opens no sockets; ask a server that speaks HTTP by urllib.request",
}

#: The same by the name of the distribution, where it differs.
DISTRIBUTIONS = {
    "scikit-learn": "sklearn",
    "scikit-image": "skimage",
    "pillow": "PIL",
    "opencv-python": "cv2",
    "opencv-python-headless": "cv2",
    "psycopg2-binary": "psycopg2",
    "pyzmq": "zmq",
    "grpcio": "grpc",
    "pydantic-core": "pydantic_core",
    "python-rapidjson": "rapidjson",
    "netcdf4": "netCDF4",
}

#: Packages that open sockets by themselves.
SOCKETS = {"requests", "httpx", "aiohttp", "urllib3", "websockets", "websocket", "paramiko"}
SOCKETS |= {"redis", "pymongo", "boto3", "asyncpg", "pymysql"}

_NO_PROGRAMS = (
    "a component starts no programs: do it in Python, or have the caller do it and send the result"
)
NO_SOCKETS = (
    "a component opens no sockets: `urllib.request` has the host send requests to the servers that "
    "the sidecar grants"
)
_NO_THREADS = (
    "a component has no threads: call the function itself, or use "
    "concurrent.futures.ThreadPoolExecutor, which runs at once what it is given"
)
_NO_PROCESSES = (
    "a component has no processes: call the function itself, or use multiprocessing.Pool, which "
    "does the work in order"
)

#: Calls that fail in a component.
CALLS = {
    **dict.fromkeys(
        (
            *(f"subprocess.{name}" for name in ("run", "Popen", "call", "check_call")),
            *("subprocess.check_output", "subprocess.getoutput", "os.system", "os.popen"),
            *("os.fork", "os.execv", "os.execvp", "os.spawnv", "os.posix_spawn"),
            *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
        ),
        _NO_PROGRAMS,
    ),
    **dict.fromkeys(
        (
            *("socket.socket", "socket.create_connection", "socket.create_server"),
            *("http.client.HTTPConnection", "http.client.HTTPSConnection", "ftplib.FTP"),
            *("smtplib.SMTP", "smtplib.SMTP_SSL", "imaplib.IMAP4", "poplib.POP3"),
            *("asyncio.open_connection", "asyncio.start_server", "http.server.HTTPServer"),
        ),
        NO_SOCKETS,
    ),
    **dict.fromkeys(
        ("threading.Thread", "threading.Timer", "_thread.start_new_thread"), _NO_THREADS
    ),
    "multiprocessing.Process": _NO_PROCESSES,
    "builtins.input": "nobody is there to answer: take a parameter",
}

ONCE = (
    "runs once, when the component is built, and every call sees the same value; call it in a "
    "function"
)

#: Calls whose result an author expects to be a new one each time, when a module is imported.
FRESH = {
    *(f"uuid.{name}" for name in ("uuid1", "uuid4", "uuid6", "uuid7")),
    *(f"secrets.{name}" for name in ("token_bytes", "token_hex", "token_urlsafe", "randbelow")),
    *("secrets.choice", "secrets.randbits", "os.urandom", "time.time", "time.time_ns"),
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today"),
    *("datetime.date.today", "time.localtime", "time.gmtime", "tempfile.mkdtemp"),
}

#: The same, unless the module's own generator was seeded.
RANDOM = {
    f"random.{name}"
    for name in (
        *("random", "randint", "randrange", "uniform", "gauss", "normalvariate", "choice"),
        *("choices", "sample", "shuffle", "expovariate", "betavariate", "triangular"),
        *("getrandbits", "randbytes", "lognormvariate", "vonmisesvariate", "paretovariate"),
    )
}

VARIABLES = (
    "is read when the component is built, where there are no variables; read it in a function, and "
    "grant it in the sidecar"
)


def advice(name: str) -> str | None:
    """Why a package cannot be in a component, by the name of its import; None for any other."""
    top = name.split(".")[0]
    if top not in COMPILED:
        return None
    return f"`{top}` is compiled code, which cannot run in a component; {COMPILED[top]}"
